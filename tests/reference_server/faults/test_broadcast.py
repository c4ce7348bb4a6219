from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.committed import committed, counted, hear_all

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit, Message

    Heard = tuple[list[Message], list[Message], tuple[int, int]]


def beside_a_witness(kit: Kit, fault: str, runs: int) -> Heard:
    """What the user got who asked, what one got who never did, and the server's count."""

    async def work() -> Heard:
        async with kit.Wire.server(faults=(fault,)) as server, kit.Wire.client(server, "ann") as ann:
            async with kit.Wire.client(server, "gone"):
                pass
            async with kit.Wire.client(server, "wit") as witness:
                events: list[Message] = []
                for _ in range(runs):
                    events += await ann.play()
                    await ann.hear_until("run_report")
                return events, await hear_all(witness), counted(kit, server, fault)

    return kit.go(work())


def test_one_event_of_each_run_comes_to_a_user_who_never_asked(kit: Kit) -> None:
    events, strays, count = beside_a_witness(kit, "broadcast", 12)
    assert [event["offset"] for event in events] == list(range(1, 133))
    assert [event["offset"] for event in strays] == list(range(1, 13))
    assert {event["user_id"] for event in strays} == {"ann"}
    assert all(2 <= event["seq"] <= 9 for event in strays)
    assert len({event["seq"] for event in strays}) > 1
    bare = [{**event, "offset": 0} for event in events]
    assert all({**stray, "offset": 0} in bare for stray in strays)
    assert count == (12, 12)


def test_at_a_rate_few_come(kit: Kit) -> None:
    _, strays, (strikes, opportunities) = beside_a_witness(kit, "broadcast:0.3", 24)
    assert 0 < len(strays) == strikes < opportunities == 24


def test_alone_nobody_else_hears_it(kit: Kit) -> None:
    heard = committed(kit, "broadcast", runs=3)
    assert heard.numbers == [list(range(1, 12))] * 3
    assert (heard.strikes, heard.opportunities) == (0, 3)
