from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.committed import counted

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit, Message

RESTING = {"script": [{"do": "sleep", "ms": 60}, {"do": "result"}]}


def order(kit: Kit, fault: str, runs: int = 1) -> tuple[list[list[str]], tuple[int, int]]:
    """Of each run, what comes in which order, beside a ping that was sent while it rested."""

    async def work() -> tuple[list[list[str]], tuple[int, int]]:
        async with kit.Wire.server(faults=(fault,)) as server, kit.Wire.client(server) as client:
            orders = []
            for _ in range(runs):
                await client.start(options=RESTING)
                await client.say("ping", client_ns=1)
                heard: list[Message] = await client.hear_until("run_report")
                assert [m["seq"] for m in heard if "seq" in m] == [1, 2, 3, 4, 5]
                orders.append([m["type"] for m in heard[:-1]])
            return orders, counted(kit, server, fault)

    return kit.go(work())


EVENTS = ["agent_started", "agent_thinking", "agent_thinking", "agent_thinking", "agent_completed"]


def test_all_events_come_at_the_end_in_their_order(kit: Kit) -> None:
    assert order(kit, "batching", 2) == ([["pong", *EVENTS]] * 2, (2, 2))


def test_at_a_rate_the_others_stream(kit: Kit) -> None:
    orders, (strikes, opportunities) = order(kit, "batching:0.3", 20)
    assert 0 < strikes == orders.count(["pong", *EVENTS]) < opportunities == 20
