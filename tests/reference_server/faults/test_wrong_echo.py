from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.committed import committed, counted

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit, Message


def ends(kit: Kit, fault: str, pairs: int) -> tuple[list[tuple[str, str]], tuple[int, int]]:
    """Of pairs of runs at once: whose request each was, and whose its end says it was."""
    quick: Message = {"script": [{"do": "result"}]}
    slow: Message = {"script": [{"do": "sleep", "ms": 20}, {"do": "result"}]}

    async def work() -> tuple[list[tuple[str, str]], tuple[int, int]]:
        async with kit.Wire.server(faults=(fault,)) as server, kit.Wire.client(server) as client:
            told = []
            for number in range(pairs):
                for name, script in (("slow", slow), ("quick", quick)):
                    request = {"user_request": "hello", "request_id": f"{name} {number}", "options": script}
                    await client.say("start_agent", **request)
                heard = await client.hear_until("run_report")
                heard += await client.hear_until("run_report")
                asked = {
                    m["run_id"]: m["payload"]["request_id"] for m in heard if m["type"] == "agent_started"
                }
                told += [
                    (asked[m["run_id"]], m["payload"]["request_id"])
                    for m in heard
                    if m["type"] == "agent_completed"
                ]
            return told, counted(kit, server, fault)

    return kit.go(work())


def test_the_first_of_two_runs_to_end_bears_the_others_request(kit: Kit) -> None:
    told, count = ends(kit, "wrong-echo", 3)
    for number in range(3):
        quick, slow = told[2 * number : 2 * number + 2]
        assert quick == (f"quick {number}", f"slow {number}")
        assert slow == (f"slow {number}", f"slow {number}")
    assert count == (3, 3)


def test_at_a_rate_the_others_bear_their_own(kit: Kit) -> None:
    told, (strikes, opportunities) = ends(kit, "wrong-echo:0.3", 20)
    assert 0 < strikes == sum(asked != said for asked, said in told) < opportunities == 20


def test_a_run_alone_is_no_opportunity(kit: Kit) -> None:
    heard = committed(kit, "wrong-echo", runs=3)
    assert (heard.strikes, heard.opportunities) == (0, 0)
