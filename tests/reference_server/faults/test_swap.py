from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit, Message


def play(kit: Kit, runs: int, **fields: Any) -> tuple[list[list[Message]], float]:
    async def work() -> tuple[list[list[Message]], float]:
        async with (
            kit.Wire.server(faults=("swap",), fault_seed=4) as server,
            kit.Wire.client(server) as client,
        ):
            played = []
            for _ in range(runs):
                played.append(await client.play(**fields))
                await client.hear_until("run_report")
            return played, kit.sample(server.metrics, 'fault_strikes_total{fault="swap"}')

    return kit.go(work())


def test_two_neighbours_change_places_with_their_numbers(kit: Kit) -> None:
    played, strikes = play(kit, runs=12)
    places = set()
    first_offset = 1
    for events in played:
        numbers = [event["seq"] for event in events]
        (place,) = [at for at in range(10) if numbers[at] > numbers[at + 1]]
        places.add(place)
        assert 1 <= place <= 8  # neither the first event nor the last takes part
        assert sorted(numbers) == list(range(1, 12))
        assert [event["offset"] - event["seq"] for event in events] == [first_offset - 1] * 11
        first_offset += 11
    assert strikes == 12
    assert len(places) > 1


def test_a_run_too_short_is_left_alone_or_struck_inside(kit: Kit) -> None:
    played, strikes = play(kit, runs=12, options={"script": [{"do": "no_result"}]})
    struck = 0
    for events in played:
        numbers = [event["seq"] for event in events]
        assert (numbers[0], numbers[-1]) == (1, 4)
        assert sorted(numbers) == [1, 2, 3, 4]
        struck += numbers != [1, 2, 3, 4]
    assert 0 < struck < 12
    assert strikes == struck
