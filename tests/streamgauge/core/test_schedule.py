import random
import statistics
from itertools import islice, pairwise

import pytest

from streamgauge.core.schedule import constant, lockstep, poisson

START = 10**15  # as a machine's monotonic clock may stand


def test_constant_due_times_stand_on_a_grid() -> None:
    assert list(islice(constant(1000, 250, 0.0), 4)) == [1000, 1250, 1500, 1750]


@pytest.mark.parametrize(("phase", "first"), [(0.0, 1000), (0.5, 1125), (0.999, 1249)])
def test_a_phase_moves_the_grid_by_less_than_one_interval(phase: float, first: int) -> None:
    assert next(constant(1000, 250, phase)) == first


def test_constant_due_times_do_not_drift() -> None:
    interval = 333_333_333
    assert next(islice(constant(START, interval, 0.0), 1_000_000, None)) == START + 1_000_000 * interval


def test_poisson_gaps_are_exponential_with_the_mean_asked_for() -> None:
    due = list(islice(poisson(START, 1_000_000, random.Random(1)), 20_000))
    gaps = [later - earlier for earlier, later in pairwise([START, *due])]
    assert min(gaps) >= 0
    assert statistics.fmean(gaps) == pytest.approx(1_000_000, rel=0.03)
    assert statistics.stdev(gaps) == pytest.approx(1_000_000, rel=0.05)
    assert sum(gap > 1_000_000 for gap in gaps) / len(gaps) == pytest.approx(0.3679, abs=0.015)


def test_the_same_seed_gives_the_same_schedule() -> None:
    one, two, other = (poisson(0, 1000, random.Random(seed)) for seed in (5, 5, 6))
    first = list(islice(one, 50))
    assert first == list(islice(two, 50)) != list(islice(other, 50))
    assert first == sorted(first)


@pytest.mark.parametrize(("start", "first"), [(1000, 1250), (1001, 1250), (1249, 1250), (1250, 1500)])
def test_in_lockstep_all_are_due_at_the_same_times_whenever_they_began(start: int, first: int) -> None:
    assert list(islice(lockstep(start, 250), 3)) == [first, first + 250, first + 500]
