import pytest

from streamgauge.core.doubt_limits import DoubtLimits
from streamgauge.core.finding import LATENCY, Doubt
from streamgauge.core.histogram import Distribution, Histogram
from streamgauge.core.overload import overload
from streamgauge.core.vitals import Process, Vitals

MS = 1_000_000
SECOND = 1_000_000_000
LIMITS = DoubtLimits(
    generator_cpu=0.5, run_queue_wait=0.25, steal=0.125, loop_lag_p99=0.001, gc_pause_max=0.002
)


def of(*values: int) -> Distribution:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram.distribution()


def doubted(*vitals: Vitals | None, limits: DoubtLimits = LIMITS) -> list[Doubt]:
    """What is doubted of these processes: w1, w2 and so on."""
    processes = [Process(f"w{number}", one) for number, one in enumerate(vitals, start=1)]
    found = list(overload(processes, limits))
    assert all(doubt.voids == LATENCY and doubt.advice for doubt in found)
    return found


def said(*vitals: Vitals | None) -> list[tuple[str, str, str]]:
    return [(doubt.name, doubt.value, doubt.limit) for doubt in doubted(*vitals)]


def test_what_is_unknown_is_not_doubted() -> None:
    assert doubted() == doubted(None) == doubted(Vitals()) == doubted(None, Vitals(lasted_ns=SECOND)) == []


@pytest.mark.parametrize(
    ("at_limit", "beyond", "says"),
    [
        (
            Vitals(cpu=of(*[SECOND // 2] * 3)),
            Vitals(cpu=of(*[SECOND // 2 + 1] * 3)),
            ("generator CPU", "50% of a core in the busiest tenth of seconds, by w1", "50%"),
        ),
        (
            Vitals(lasted_ns=4_000, waited_ns=1_000),
            Vitals(lasted_ns=4_000, waited_ns=1_001),
            ("run-queue wait", "w1 had no processor for 25% of the time", "25%"),
        ),
        (
            Vitals(stolen=0.125),
            Vitals(stolen=0.1251),
            ("steal", "13% of the machine's processor time", "12%"),
        ),
        (
            Vitals(loop_lag=of(*[0] * 98, MS, MS)),
            Vitals(loop_lag=of(*[0] * 98, MS + 1, MS + 1)),
            ("loop lag", "up to 1 ms (n = 100), in w1", "1 ms"),
        ),
        (
            Vitals(gc_pauses=of(1, 2 * MS)),
            Vitals(gc_pauses=of(1, 2 * MS + 1)),
            ("garbage collection", "everything stood still for 2 ms, in w1", "2 ms"),
        ),
    ],
    ids=["cpu", "wait", "steal", "loop lag", "gc"],
)
def test_at_a_limit_and_beyond(at_limit: Vitals, beyond: Vitals, says: tuple[str, str, str]) -> None:
    assert doubted(at_limit) == []
    assert said(beyond) == [says]


def test_the_worst_process_counts_and_is_named() -> None:
    idle, busy, busier = (Vitals(lasted_ns=100, waited_ns=waited) for waited in (0, 30, 60))
    assert [value for _, value, _ in said(idle, busy, busier, None, busy)] == [
        "w3 had no processor for 60% of the time"
    ]


def test_one_slow_wake_up_in_a_hundred_is_no_lag() -> None:
    assert doubted(Vitals(loop_lag=of(*[0] * 99, SECOND))) == []


def test_an_ordinary_busy_machine_is_within_the_defaults() -> None:
    """What a run of 400 users read on two cores that other work kept busy."""
    vitals = Vitals(
        lasted_ns=17 * SECOND,
        cpu=of(*[233 * MS] * 9),
        waited_ns=4 * SECOND,
        stolen=0.0014,
        loop_lag=of(*[MS] * 97, *[61 * MS] * 3),
        gc_pauses=of(*[MS] * 97, 147 * MS),
    )
    assert doubted(vitals, limits=DoubtLimits()) == []
