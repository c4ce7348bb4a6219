import random

import pytest

from streamgauge.core.finding import LATENCY, Doubt
from streamgauge.core.histogram import Distribution, Histogram
from streamgauge.core.metrics.course import CourseState
from streamgauge.core.steadiness import LEAST_WINDOWS, Change, change_point, unsteady

MS = 1_000_000
SECOND = 1_000_000_000
WHOLE = (0, 1_000 * SECOND)


def of(*values: float) -> Distribution:
    histogram = Histogram()
    for value in values:
        histogram.add(int(value))
    return histogram.distribution()


def course(*medians_ms: float, n: int = 5, width_ns: int = SECOND) -> CourseState:
    """Windows in which every request took so long."""
    windows = {window: of(*[ms * MS] * n) for window, ms in enumerate(medians_ms)}
    return CourseState(width_ns, windows)


def doubted(state: CourseState, load_ns: tuple[int, int] | None = WHOLE, limit: float = 2) -> Doubt | None:
    return unsteady(state, load_ns, limit)


# The test itself


def test_the_change_point_of_a_step() -> None:
    assert change_point([1, 1, 1, 5, 5, 5])[0] == 3
    # U = 3 · 3, so that p ≈ 2·exp(−6·81/(216 + 36))
    assert change_point([1, 1, 1, 5, 5, 5])[1] == pytest.approx(0.2907, abs=1e-4)


def test_where_nothing_changes_there_is_none() -> None:
    assert change_point([]) == change_point([7]) == change_point([7] * 50) == Change(0, 1)


def test_only_ranks_count() -> None:
    assert change_point([1, 2, 3, 4, 90]) == change_point([1, 2, 3, 4, 5])


# What is doubted


def test_a_warm_up_is_doubted() -> None:
    doubt = doubted(course(*[40.0] * 20, *[10.0] * 30))
    assert doubt is not None
    assert (doubt.name, doubt.voids) == ("warm-up", LATENCY)
    assert doubt.value == "median first event 40.0 ms until second 20, 10.0 ms after"
    assert doubt.limit == "a factor of 2"
    assert "warm the server up" in doubt.advice


def test_a_server_that_slows_down_is_doubted() -> None:
    doubt = doubted(course(*[10.0] * 30, *[40.0] * 20))
    assert doubt is not None
    assert doubt.name == "not steady"
    assert doubt.value == "median first event 10.0 ms until second 30, 40.0 ms after"


@pytest.mark.parametrize(("later", "doubts"), [(19.9, False), (20.1, True)])
def test_a_change_may_be_as_large_as_the_limit(later: float, *, doubts: bool) -> None:
    assert (doubted(course(*[10.0] * 25, *[later] * 25)) is not None) == doubts


@pytest.mark.parametrize(("later", "doubts"), [(1.09, False), (1.11, True)])
def test_a_change_that_nobody_can_feel_is_none(later: float, *, doubts: bool) -> None:
    assert (doubted(course(*[0.1] * 25, *[later] * 25)) is not None) == doubts


def test_a_few_windows_cannot_tell() -> None:
    half = LEAST_WINDOWS // 2
    steps = [10.0] * half + [50.0] * half
    assert doubted(course(*steps), (0, LEAST_WINDOWS * SECOND)) is not None
    assert doubted(course(*steps[1:]), (0, LEAST_WINDOWS * SECOND)) is None
    assert doubted(CourseState()) is None


def test_windows_with_too_little_in_them_are_made_wider() -> None:
    sparse = [10.0] * 50 + [50.0] * 50
    assert doubted(course(*sparse, n=2), (0, 100 * SECOND)) is None  # in twos and fours: 25 windows
    assert doubted(course(*sparse, n=3), (0, 100 * SECOND)) is not None  # in twos: 50 windows


def test_a_change_that_may_be_chance_is_none() -> None:
    def early(slow: int) -> CourseState:
        return course(*[50.0] * slow, *[10.0] * (50 - slow))

    assert doubted(early(10)) is None  # 2·exp(−6·400²/(50³ + 50²)) = 0.0011
    assert doubted(early(11)) is not None  # 0.0003


def test_only_the_load_itself_is_looked_at() -> None:
    state = course(*[50.0] * 30, *[10.0] * 60, *[90.0] * 30)  # ramp, load, drain
    assert doubted(state, (0, 90 * SECOND)) is not None
    assert doubted(state, (30 * SECOND, 120 * SECOND)) is not None
    assert doubted(state, (30 * SECOND, 90 * SECOND)) is None


def test_a_load_that_is_to_change_is_not_judged() -> None:
    assert doubted(course(*[10.0] * 25, *[90.0] * 25), None) is None


# Against chance


def simulated(seed: int, *, slow: float = 1, slow_windows: int = 0, disturbed: float = 0) -> CourseState:
    """Windows of 20 log-normal times around 5 ms; some at first `slow`, any `disturbed` tenfold."""
    source = random.Random(seed)
    windows = {}
    for window in range(104):  # 26 s
        factor = slow if window < slow_windows else 1
        factor *= 10 if source.random() < disturbed else 1
        windows[window] = of(*(source.lognormvariate(0, 0.8) * 5 * MS * factor for _ in range(20)))
    return CourseState(SECOND // 4, windows)


def alarms(runs: int, limit: float = 2, **settings: float) -> int:
    states = (simulated(seed, **settings) for seed in range(runs))  # type: ignore[arg-type]
    return sum(doubted(state, limit=limit) is not None for state in states)


def test_a_steady_run_is_not_doubted() -> None:
    assert alarms(100) == 0
    assert alarms(100, limit=1) <= 2  # with chance alone to keep it back


def test_disturbances_now_and_then_are_no_change() -> None:
    assert alarms(100, disturbed=0.1) == 0


def test_a_warm_up_of_some_seconds_is_seen() -> None:
    assert alarms(20, slow=3, slow_windows=20) == 20  # 5 s of 26
