from itertools import pairwise

import pytest

from streamgauge.core.memory import Point, Thinned, growth

MB = 1_000_000
SECOND = 1_000_000_000


def minutes(*megabytes: float) -> tuple[Point, ...]:
    """Memory, minute by minute."""
    return tuple((place * 60 * SECOND, int(size * MB)) for place, size in enumerate(megabytes))


def test_what_goes_on_growing_grows_by_its_slope() -> None:
    assert growth(minutes(*(100 + n for n in range(41)))) == 30 * MB  # after the first quarter


def test_memory_that_warms_up_and_stays_is_flat() -> None:
    assert growth(minutes(20, 60, 90, 110, *[120] * 12)) == 0


def test_a_jump_is_no_trend() -> None:
    assert growth(minutes(*[100] * 15, 900, *[100] * 5)) == 0


def test_what_is_given_back_is_below_zero() -> None:
    grown = growth(minutes(*(100 - n for n in range(41))))
    assert grown == -30 * MB


@pytest.mark.parametrize("n", [0, 1, 12])
def test_too_few_points_tell_no_trend(n: int) -> None:
    assert growth(minutes(*range(n))) is None


def test_many_points_tell_the_same_as_few() -> None:
    many = tuple((n * SECOND, n * 1_000) for n in range(5_000))
    assert growth(many) == pytest.approx(3_750_000, rel=0.01)


@pytest.mark.parametrize("n", [7, 8, 9, 1_000, 12_345])
def test_of_any_number_at_most_so_many_are_kept_and_evenly(n: int) -> None:
    thinned = Thinned(most=8)
    for at_ns in range(n):
        thinned.add(at_ns, at_ns)
    kept = [at_ns for at_ns, _ in thinned.points]
    assert n == 7 or 4 <= len(kept) < 8
    (step,) = {b - a for a, b in pairwise(kept)}
    assert kept[0] == 0
    assert kept[-1] > n - 1 - step
