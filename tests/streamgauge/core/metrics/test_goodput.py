from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from streamgauge.core.history import End, History
from streamgauge.core.limit import run_limit
from streamgauge.core.metrics.goodput import Goodput, GoodputState, kept
from tests.support.history import (
    SECOND,
    Said,
    completed,
    failed,
    heard,
    idea,
    part,
    run,
    started,
    thought,
    tool,
    wait,
    whole,
)
from tests.support.settling import alike

BEGUN = (started(), thought(1), thought(2))
DONE = (thought(3), completed())


def counted(*histories: History, limits: tuple[str, ...] = (), clean: bool = True) -> GoodputState:
    goodput = Goodput([run_limit(text) for text in limits])
    for history in histories:
        goodput.settle(alike(history, clean=clean))
    return goodput.state()


def keeps(limit: str, history: History) -> bool:
    (within,) = kept(run_limit(limit), alike(history)).tolist()
    return bool(within)


# Which runs count


def test_a_whole_run_that_broke_no_rule_is_good() -> None:
    assert counted(run(*whole())) == GoodputState(of=1, good=1)


def test_a_run_that_broke_a_rule_is_not() -> None:
    assert counted(run(*whole()), clean=False) == GoodputState(of=1, broken=1)


@pytest.mark.parametrize(
    "history", [run(*BEGUN, failed()), run(*BEGUN), run(end=End.REFUSED), run(), run(failed("cancelled"))]
)
def test_a_run_without_a_result_is_not_good(history: History) -> None:
    assert counted(history) == GoodputState(of=1, unfinished=1)


def test_the_first_ending_decides() -> None:
    assert counted(run(*BEGUN, failed(), completed())).good == 0


@pytest.mark.parametrize("clean", [True, False])
@pytest.mark.parametrize(
    "history",
    [
        run(*BEGUN, failed("cancelled"), cancelled=True),
        run(*whole(), cancelled=True),
        run(*BEGUN, end=End.ABANDONED),
        run(end=End.ABANDONED),
    ],
)
def test_what_its_user_cut_off_counts_neither_way(history: History, clean: bool) -> None:
    assert counted(history, clean=clean) == GoodputState()


def test_a_failure_that_the_script_wants_counts_neither_way() -> None:
    history = run(*BEGUN, failed())
    history.asked = replace(history.asked, fails=True)
    assert counted(history) == GoodputState()


# Limits


def test_a_run_beyond_a_limit_is_not_good_and_the_limit_is_named() -> None:
    limits = ("run < 1s", "first_event < 500ms")
    slow = run(*BEGUN, wait(2), *DONE)
    assert counted(run(*whole()), slow, limits=limits) == GoodputState(
        of=2, good=1, beyond={"run < 1s": 1, "first_event < 500ms": 0}
    )


def test_several_things_may_speak_against_one_run() -> None:
    state = counted(run(wait(2), started(), failed()), limits=("first_event < 1s", "run < 1s"), clean=False)
    assert state == GoodputState(of=1, broken=1, unfinished=1, beyond={"first_event < 1s": 1, "run < 1s": 1})


def test_a_limit_that_was_written_twice_counts_once() -> None:
    state = counted(run(), limits=("run < 1s", "run < 1s"))
    assert state.beyond == {"run < 1s": 1}


# what arrived when: started 10 ms, thoughts 20 and 30, chunks 40, 140, 150, thought 160, result 170
TIMED = run(*BEGUN, part(0), wait(0.1), part(1), part(2), *DONE)
TIMED.accepted = heard(started(), at=0.005)


@pytest.mark.parametrize(
    ("goal", "ms"),
    [
        ("accepted", 5),
        ("first_event", 10),
        ("first_thought", 20),
        ("first_chunk", 40),
        ("run", 170),
        ("gap_max", 100),
        ("gap_p95", 100),
        ("chunk_gap_max", 100),
    ],
)
def test_every_goal_is_what_it_says(goal: str, ms: int) -> None:
    assert keeps(f"{goal} <= {ms}ms", TIMED)
    assert not keeps(f"{goal} < {ms}ms", TIMED)


def test_waiting_counts_from_when_the_request_was_due() -> None:
    history = run(*whole())
    history.asked = replace(history.asked, due_ns=-SECOND)
    assert not keeps("first_event < 1s", history)
    assert keeps("gap_max < 1s", history)


@pytest.mark.parametrize("gaps", [20, 21, 40])
def test_of_twenty_gaps_one_may_be_beyond_the_95th_percentile(gaps: int) -> None:
    steady = run(started(), wait(1), *(idea() for _ in range(gaps)))
    assert keeps("gap_p95 < 20ms", steady)
    assert not keeps("gap_max < 20ms", steady)


def test_of_nineteen_gaps_none_may() -> None:
    assert not keeps("gap_p95 < 20ms", run(started(), wait(1), *(idea() for _ in range(19))))


def test_only_chunks_count_for_the_gap_between_chunks() -> None:
    assert keeps("chunk_gap_max < 100ms", run(*BEGUN, wait(5), part(0), part(1), wait(5), *DONE))
    assert not keeps("chunk_gap_max < 50ms", run(*BEGUN, part(0), tool("c"), wait(0.05), part(1)))


@pytest.mark.parametrize("goal", ["accepted", "first_event", "first_thought", "first_chunk", "run"])
def test_a_limit_on_what_never_came_is_not_kept(goal: str) -> None:
    assert not keeps(f"{goal} < 1h", run())


@pytest.mark.parametrize("goal", ["gap_max", "gap_p95", "chunk_gap_max"])
@pytest.mark.parametrize("history", [run(), run(started())])
def test_a_limit_on_gaps_is_kept_where_there_is_none(goal: str, history: History) -> None:
    assert keeps(f"{goal} < 1us", history)


def test_of_runs_that_are_settled_together_each_keeps_its_limits() -> None:
    limits = ("run < 1s", "gap_p95 < 20ms", "gap_max < 2s", "chunk_gap_max < 50ms", "accepted < 10ms")
    said: list[list[Said]] = [
        [*BEGUN, wait(0.01 + n), part(0), wait(0.01 + n / 50), part(1), *DONE] for n in range(5)
    ]
    histories = [replace(run(*each), accepted=heard(started(), at=n / 150)) for n, each in enumerate(said)]
    together = Goodput([run_limit(text) for text in limits])
    together.settle(alike(*histories))
    assert together.state() == counted(*histories, limits=limits)
    assert all(0 < n < 5 for n in together.state().beyond.values())


# The algebra

LIMITS = ("run < 1s", "gap_max < 500ms")
histories = st.builds(
    lambda pause, cancelled, end: run(*BEGUN, wait(pause), *end, cancelled=cancelled),
    st.floats(0.01, 2),
    st.booleans(),
    st.sampled_from([DONE, (failed(),), ()]),
)


@given(st.lists(st.lists(histories, max_size=4), min_size=3, max_size=3), st.booleans())
def test_parts_know_together_what_one_would(parts: list[list[History]], clean: bool) -> None:
    together = counted(*(history for part in parts for history in part), limits=LIMITS, clean=clean)
    for order in permutations(parts):
        one, two, three = (counted(*part, limits=LIMITS, clean=clean) for part in order)
        assert one.merge(two).merge(three) == one.merge(two.merge(three)) == together


def test_their_limits_must_be_the_same() -> None:
    with pytest.raises(ValueError, match="cannot be merged"):
        counted(limits=("run < 1s",)).merge(counted(limits=("run < 2s",)))
