from functools import reduce
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from streamgauge.core.history import History
from streamgauge.core.metrics.course import MOST_WINDOWS, Course, CourseState
from tests.support.history import PACE, SECOND, completed, run, started
from tests.support.settling import alike

BEGAN = 7 * SECOND
QUARTER = SECOND // 4


def asked(at_s: float, *, took_ms: int = 10) -> History:
    """A run that was due so long after the beginning, with its first event so much later."""
    due_ns = BEGAN + int(at_s * SECOND)
    history = run(started(), completed())
    first, last = (replace(of, at_ns=of.at_ns - PACE + due_ns + took_ms * 1_000_000) for of in history.events)
    return History(history.user, replace(history.asked, due_ns=due_ns), events=[first, last])


def course(*histories: History) -> CourseState:
    collected = Course(BEGAN)
    for history in histories:
        collected.settle(alike(history))
    return collected.state()


def numbers(state: CourseState) -> dict[int, int]:
    return {window: of.n for window, of in state.windows.items()}


def test_a_time_stands_in_the_window_in_which_it_was_due() -> None:
    state = course(asked(0, took_ms=3), asked(0.24), asked(0.25), asked(2.1))
    assert (state.width_ns, numbers(state)) == (QUARTER, {0: 2, 1: 1, 8: 1})
    assert (state.windows[0].least, state.windows[0].most) == (3_000_000, 10_000_000)


def test_a_run_without_events_is_left_out() -> None:
    assert course(run()) == CourseState()


def test_a_longer_run_has_wider_windows_and_loses_nothing() -> None:
    last = MOST_WINDOWS * QUARTER / SECOND
    assert numbers(course(asked(1), asked(last - 0.01))) == {4: 1, MOST_WINDOWS - 1: 1}
    state = course(asked(1), asked(last), asked(1.3))
    assert (state.width_ns, numbers(state)) == (2 * QUARTER, {2: 2, MOST_WINDOWS // 2: 1})
    state = course(asked(1), asked(5 * last), asked(1.3))
    assert (state.width_ns, numbers(state)) == (8 * QUARTER, {0: 2, 80: 1})


def test_runs_that_are_settled_together_stand_each_in_its_window() -> None:
    histories = [asked(0, took_ms=3), asked(2.1, took_ms=7), asked(0.1, took_ms=5), asked(90), asked(2.2)]
    together = Course(BEGAN)
    together.settle(alike(*histories))
    assert together.state() == course(*histories)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=8))
def test_parts_merge_into_the_whole(seconds: list[int]) -> None:
    whole = course(*map(asked, seconds))
    parts = [course(asked(at)) for at in seconds]
    for order in list(permutations(parts))[:6]:
        assert reduce(CourseState.merge, order) == whole
