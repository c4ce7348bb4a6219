from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.committed import committed

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit

HOUR_NS = 3_600 * 10**9


def lies(stamps: list[int]) -> list[int]:
    """The places of the stamps that are not of their run's hour."""
    return [place for place, stamp in enumerate(stamps) if stamp - stamps[0] > HOUR_NS]


def test_one_stamp_of_each_run_is_ahead_by_what_was_asked_for(kit: Kit) -> None:
    heard = committed(kit, "clock-lie:1:7200s", runs=12)
    places = set()
    for run in heard.runs:
        stamps = [event["emitted_ns"] for event in run]
        (place,) = lies(stamps)
        places.add(place)
        told_ns = stamps[place] - 7_200 * 10**9
        assert stamps[place - 1] <= told_ns <= stamps[place + 1]
    assert places <= set(range(1, 9))
    assert len(places) > 1
    assert heard.numbers == [list(range(1, 12))] * 12
    assert (heard.strikes, heard.opportunities) == (12, 12)


def test_at_a_rate_the_others_are_honest(kit: Kit) -> None:
    heard = committed(kit, "clock-lie:0.3:7200s", runs=24)
    struck = sum(bool(lies([event["emitted_ns"] for event in run])) for run in heard.runs)
    assert 0 < struck == heard.strikes < heard.opportunities == 24
