import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.core.checks.sequence import NONE, Departures, departures


@pytest.mark.parametrize("numbers", [[], [1], [1, 2, 3, 4]])
def test_numbers_in_order_depart_from_nothing(numbers: list[int]) -> None:
    assert departures(numbers) is NONE
    assert NONE.lost == 0


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([1, 2, 4], Departures(missing=(range(3, 4),))),
        ([2, 3], Departures(missing=(range(1, 2),))),
        ([1, 4, 9], Departures(missing=(range(2, 4), range(5, 9)))),
        ([1, 2, 2, 3], Departures(repeats=(2,))),
        ([1, 2, 3, 1], Departures(repeats=(3,))),
        ([1, 1, 1], Departures(repeats=(1, 2))),
        ([1, 3, 2, 4], Departures(back=(2,))),
        ([3, 2, 1], Departures(back=(1, 2))),
        ([1, 4, 2, 5], Departures(back=(2,), missing=(range(3, 4),))),
        ([1, 3, 2, 3, 5], Departures(repeats=(3,), back=(2,), missing=(range(4, 5),))),
    ],
)
def test_every_departure_is_called_what_it_is(numbers: list[int], expected: Departures) -> None:
    assert departures(numbers) == expected


def test_a_server_that_jumps_to_any_number_costs_nothing() -> None:
    assert departures([1, 2**63 - 1]).lost == 2**63 - 3


@given(st.integers(1, 30), st.data())
def test_one_thing_done_to_a_sequence_is_the_one_thing_seen(n: int, data: st.DataObject) -> None:
    numbers = list(range(1, n + 1))
    place = data.draw(st.integers(0, n - 1))
    match data.draw(st.sampled_from(["lose", "repeat", "swap"])):
        case "lose":
            lost = numbers.pop(place)
            expected = Departures(missing=(range(lost, lost + 1),)) if lost < n else Departures()
        case "repeat":
            again = data.draw(st.integers(place + 1, n))
            numbers.insert(again, numbers[place])
            expected = Departures(repeats=(again,))
        case _:
            numbers[place : place + 2] = numbers[place : place + 2][::-1]
            expected = Departures(back=(place + 1,)) if place + 1 < n else Departures()
    assert departures(numbers) == expected


def test_what_is_missing_is_told_in_order_whatever_order_it_is_remembered_in() -> None:
    assert departures([3, 8]).missing == (range(1, 3), range(4, 8))  # as a set 0, 8, 3


@given(st.integers(0, 20), st.integers())
def test_any_order_of_all_numbers_loses_and_repeats_nothing(n: int, seed: int) -> None:
    numbers = list(range(1, n + 1))
    random.Random(seed).shuffle(numbers)
    apart = departures(numbers)
    assert (apart.repeats, apart.missing, apart.lost) == ((), (), 0)
    assert (not apart.back) is (numbers == sorted(numbers))
