from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tests.support.committed import committed

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


def test_one_event_of_each_run_comes_twice(kit: Kit) -> None:
    heard = committed(kit, "duplicate", runs=12)
    twice = [
        (place, first, again)
        for run in heard.runs
        for place, (first, again) in enumerate(pairwise(run))
        if first["seq"] == again["seq"]
    ]
    assert len(twice) == heard.strikes == heard.opportunities == 12
    assert all(1 <= place <= 8 for place, _, _ in twice)  # neither the first event nor the last
    assert len({place for place, _, _ in twice}) > 1
    assert all({**first, "offset": 0} == {**again, "offset": 0} for _, first, again in twice)
    assert all(sorted(set(numbers)) == list(range(1, 12)) for numbers in heard.numbers)
    assert heard.offsets == list(range(1, 145))
