from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit, Message


def play(kit: Kit, fault: str, runs: int = 1) -> tuple[list[list[Message]], float]:
    async def work() -> tuple[list[list[Message]], float]:
        async with kit.Wire.server(faults=(fault,)) as server, kit.Wire.client(server) as client:
            played = []
            for _ in range(runs):
                played.append(await client.play())
                await client.hear_until("run_report")
            return played, kit.sample(server.metrics, 'fault_strikes_total{fault="drop-thinking"}')

    return kit.go(work())


def test_no_systematic_thought_and_no_gap(kit: Kit) -> None:
    (first, second), strikes = play(kit, "drop-thinking", runs=2)
    for events in (first, second):
        assert kit.kinds(events) == [
            *("start", "A", "tool", "done:success", "part0", "part1", "part2", "completed")
        ]
        assert [event["seq"] for event in events] == list(range(1, 9))
    assert [event["offset"] for event in (*first, *second)] == list(range(1, 17))
    assert strikes == 2


def test_at_a_rate_some_runs_are_struck_and_counted(kit: Kit) -> None:
    played, strikes = play(kit, "drop-thinking:0.5", runs=20)
    lengths = [len(events) for events in played]
    assert set(lengths) == {8, 11}
    assert lengths.count(8) == strikes
