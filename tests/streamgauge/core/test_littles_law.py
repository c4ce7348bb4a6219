import random

import pytest

from streamgauge.core.finding import LATENCY, Doubt
from streamgauge.core.histogram import Distribution, Histogram
from streamgauge.core.littles_law import broken_law
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.vitals import Sampled, Vitals

SECOND = 1_000_000_000


def of(n: int, value: int) -> Distribution:
    histogram = Histogram()
    for _ in range(n):
        histogram.add(value)
    return histogram.distribution()


def steadily(under_way: int, *, n: int = 20, lasted_s: int = 100) -> Vitals:
    """A process in which always so many runs were under way."""
    return Vitals(lasted_ns=lasted_s * SECOND, under_way=Sampled(n, n * under_way, n * under_way * under_way))


def doubted(
    *vitals: Vitals,
    runs: int = 1_000,
    took_s: float = 1,
    slip_s: float = 0,
    other: int = 0,
) -> Doubt | None:
    """Whether the law is doubted of a run of 100 s."""
    latencies: dict[str, Distribution] = {
        Metric.RUN: of(runs, int(took_s * SECOND)),
        Metric.SLIP: of(runs, int(slip_s * SECOND)),
    }
    return broken_law({"runs completed": runs, "runs abandoned": other}, latencies, vitals, 0.25)


def test_where_all_waiting_is_counted_both_sides_are_equal() -> None:
    assert doubted(steadily(10), runs=1_000, took_s=1) is None


@pytest.mark.parametrize(("took_s", "kept"), [(0.75, True), (0.749, False), (1.333, True), (1.34, False)])
def test_they_may_part_by_the_limit_of_the_larger(took_s: float, *, kept: bool) -> None:
    assert (doubted(steadily(10), took_s=took_s) is None) == kept


def test_a_latency_that_forgets_to_count_waiting_is_found() -> None:
    """As of a client that starts its clock when it sends, and sends late."""
    doubt = doubted(steadily(100), runs=1_000, took_s=0.05)
    assert doubt is not None
    assert (doubt.name, doubt.voids, doubt.limit) == ("Little's law", LATENCY, "25% apart")
    assert doubt.value == "100.0 runs were under way, but their rate times their time makes 0.5"
    assert doubt.advice.startswith("users waited and no run time tells")


def test_a_latency_that_nobody_waited_is_found_too() -> None:
    doubt = doubted(steadily(10), took_s=3)
    assert doubt is not None
    assert doubt.advice.startswith("run times tell of a waiting that nobody saw")


def test_what_a_request_was_late_is_in_its_run_time_and_not_under_way() -> None:
    assert doubted(steadily(10), took_s=3, slip_s=2) is None


def test_processes_add_up() -> None:
    assert doubted(steadily(4), steadily(6), runs=1_000, took_s=1) is None
    assert doubted(steadily(4), steadily(6), runs=1_000, took_s=0.5) is not None


@pytest.mark.parametrize(
    ("vitals", "settings"),
    [
        ((), {}),
        ((steadily(100, n=9),), {}),
        ((steadily(100), Vitals(lasted_ns=SECOND)), {}),
        ((steadily(100),), {"other": 11}),  # their time is under way, and no run time
        ((steadily(4),), {"took_s": 0.1}),
    ],
    ids=["no process", "few samples", "one process without", "runs that were not completed", "little to do"],
)
def test_where_it_cannot_be_told_nothing_is_doubted(
    vitals: tuple[Vitals, ...], settings: dict[str, int]
) -> None:
    assert doubted(*vitals, **settings) is None


def test_the_least_with_which_it_can_be_told() -> None:
    assert doubted(steadily(5, n=10), took_s=0.1, other=10) is not None


def test_samples_that_vary_leave_more_open() -> None:
    """All users ask at once, so that most samples see nobody."""
    n = 20
    lockstep = Vitals(lasted_ns=100 * SECOND, under_way=Sampled(n, 2 * 100, 2 * 100 * 100))
    assert lockstep.under_way.mean == 10
    assert doubted(lockstep, took_s=0.5) is None
    assert doubted(steadily(10), took_s=0.5) is not None


def test_random_moments_keep_the_law_even_of_users_in_lockstep() -> None:
    """A hundred users ask every 2 s and wait 0.5 s; sampled every half second in the mean."""
    doubts = 0
    for seed in range(200):
        source = random.Random(seed)
        at, sampled = 0.0, Sampled()
        while (at := at + source.expovariate(2)) < 100:
            n = 100 if at % 2 < 0.5 else 0
            sampled = Sampled(sampled.n + 1, sampled.total + n, sampled.squares + n * n)
        vitals = Vitals(lasted_ns=100 * SECOND, under_way=sampled)
        doubts += doubted(vitals, runs=5_000, took_s=0.5) is not None
    assert doubts <= 2
