from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.committed import committed, counted

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


def test_the_first_event_of_a_sessions_first_run_is_lost_with_its_numbers(kit: Kit) -> None:
    heard = committed(kit, "first-event-race", runs=3)
    assert heard.numbers == [list(range(2, 12)), list(range(1, 12)), list(range(1, 12))]
    assert heard.offsets == list(range(2, 34))
    assert (heard.strikes, heard.opportunities) == (1, 1)


def test_each_session_that_asks_is_an_opportunity(kit: Kit) -> None:
    async def work() -> tuple[int, tuple[int, int]]:
        lost = 0
        async with kit.Wire.server(faults=("first-event-race:0.4",)) as server:
            for number in range(24):
                async with kit.Wire.client(server, f"u{number}") as client:
                    if number % 2:
                        lost += (await client.play())[0]["seq"] == 2
            return lost, counted(kit, server, "first-event-race")

    lost, (strikes, opportunities) = kit.go(work())
    assert 0 < lost == strikes < opportunities == 12
