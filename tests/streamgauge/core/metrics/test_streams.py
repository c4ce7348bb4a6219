from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from streamgauge.core.history import End, History
from streamgauge.core.metrics.streams import Streams, StreamState
from tests.support.history import (
    PACE,
    SECOND,
    Said,
    completed,
    ended,
    idea,
    lost,
    part,
    run,
    started,
    thought,
    tool,
    twice,
    wait,
)
from tests.support.settling import alike

BEGUN = (started(), thought(1), thought(2))


def streams(*histories: History, stall: float = 1) -> Streams:
    """What was collected of these runs."""
    collected = Streams(int(stall * SECOND))
    for history in histories:
        collected.settle(alike(history))
    return collected


def gaps(*said: Said) -> tuple[int, int, int]:
    """Of the gaps between the chunks of one run: how many, the least and the most."""
    distribution = streams(run(*BEGUN, *said)).gaps()
    return distribution.n, distribution.least, distribution.most


def told(*histories: History) -> dict[str, int]:
    """Every count of the streams that is not 0."""
    state = streams(*histories).state()
    names = ("streams", "chunks", "at_once", "stalls", "stalled")
    return {name: getattr(state, name) for name in names if getattr(state, name)}


def test_gaps_are_from_chunk_to_chunk() -> None:
    assert gaps(part(0), part(1), wait(0.5), part(2), thought(3), completed()) == (2, PACE, SECOND // 2)


def test_what_comes_between_two_chunks_does_not_end_their_gap() -> None:
    assert gaps(part(0), idea(), tool("c"), ended("c"), part(1)) == (1, 4 * PACE, 4 * PACE)


def test_gaps_are_between_arrivals_not_between_reads() -> None:
    history = run(*BEGUN, part(0), part(1))
    history.events[-1] = replace(history.events[-1], kernel_ns=history.events[-1].at_ns - 4_000_000)
    assert streams(history).gaps().most == PACE - 4_000_000


@pytest.mark.parametrize("said", [(), (part(0),)])
def test_one_chunk_has_no_gap(said: tuple[Said, ...]) -> None:
    assert gaps(*said) == (0, 0, 0)


def test_a_repeat_is_no_chunk_of_its_own() -> None:
    assert gaps(part(0), twice(part(1)), part(2)) == (2, PACE, 2 * PACE)
    assert told(run(*BEGUN, part(0), twice(part(1)))) == {"streams": 1, "chunks": 2}


def test_chunks_without_numbers_are_all_counted() -> None:
    history = run(*BEGUN, part(0), part(1), part(2))
    history.events = [replace(r, event=replace(r.event, seq=0)) for r in history.events]
    assert told(history) == {"streams": 1, "chunks": 3}


def test_runs_never_share_a_gap() -> None:
    first, second = run(*BEGUN, part(0)), run(wait(30), part(0), name="r2")
    assert streams(first, second).gaps().n == 0
    assert told(first, second) == {"streams": 2, "chunks": 2}


@pytest.mark.parametrize("end", list(End))
def test_what_arrived_of_a_stream_counts_however_it_ended(end: End) -> None:
    assert told(run(*BEGUN, part(0), part(1), end=end)) == {"streams": 1, "chunks": 2}


def test_a_run_without_chunks_is_no_stream() -> None:
    assert streams(run(*BEGUN, completed())).state() == StreamState()


# Stalls


@pytest.mark.parametrize(
    ("said", "stalls", "stalled"),
    [
        ((part(0), wait(1), part(1)), 0, 0),
        ((part(0), wait(1.001), part(1)), 1, 1),
        ((part(0), wait(2), part(1), wait(2), part(2)), 2, 1),
        ((wait(9), part(0), part(1), wait(9), completed()), 0, 0),  # before and after the answer
    ],
)
def test_a_stall_is_a_gap_longer_than_the_limit(said: tuple[Said, ...], stalls: int, stalled: int) -> None:
    state = streams(run(*BEGUN, *said)).state()
    assert (state.stalls, state.stalled) == (stalls, stalled)


def test_the_limit_is_for_the_plan_to_say() -> None:
    history = run(*BEGUN, part(0), wait(0.2), part(1))
    assert streams(history, stall=0.2).state().stalls == 0
    assert streams(history, stall=0.1).state().stalls == 1


def test_a_pause_of_the_script_is_no_stall() -> None:
    said = (*BEGUN, part(0), wait(3), part(1))
    assert streams(run(*said, pause=2)).state().stalls == 0
    assert streams(run(*said, pause=1.9)).state().stalls == 1


def test_a_chunk_that_was_lost_makes_its_gap_longer() -> None:
    state = streams(run(*BEGUN, part(0), wait(0.6), lost(part(1)), wait(0.6), part(2))).state()
    assert (state.chunks, state.stalls) == (2, 1)


# Chunks per second


def test_a_rate_is_chunks_after_the_first_over_their_time_in_thousandths() -> None:
    history = run(*BEGUN, part(0), part(1), part(2), wait(0.08), part(3))  # 3 in 0.1 s
    rates = streams(history).state().rates
    assert (rates.n, rates.total) == (1, 30_000)


def test_every_stream_is_one_value() -> None:
    slow = run(*BEGUN, part(0), wait(2), part(1), name="r2")
    rates = streams(run(*BEGUN, *(part(n) for n in range(9))), slow).state().rates
    assert (rates.n, rates.least, rates.most) == (2, 500, 100_000)


def test_a_single_chunk_has_no_rate() -> None:
    assert streams(run(*BEGUN, part(0))).state().rates.n == 0


def test_chunks_that_all_come_in_one_moment_have_no_rate_and_are_told() -> None:
    history = run(*BEGUN, part(0), part(1), part(2))
    history.events = [replace(received, kernel_ns=SECOND) for received in history.events]
    assert told(history) == {"streams": 1, "chunks": 3, "at_once": 1}
    assert streams(history).state().rates.n == 0


def test_of_streams_that_are_settled_together_each_has_its_own_gaps_and_pauses() -> None:
    histories = [
        run(*BEGUN, part(0), wait(0.5 + n), part(1), wait(2 - n / 2), part(2), pause=pause)
        for n, pause in enumerate((0, 2, 0.7))
    ]
    histories.append(run(*BEGUN, part(0), part(1), part(2)))
    histories[-1].events = [replace(received, kernel_ns=SECOND) for received in histories[-1].events]
    together = Streams(SECOND)
    together.settle(alike(*histories))
    assert together.state() == streams(*histories).state()
    assert together.gaps() == streams(*histories).gaps()
    assert (together.state().stalls, together.stalled, together.state().at_once) == (2, 2, 1)


# The algebra

answers = st.lists(st.floats(0.01, 3), max_size=5).map(
    lambda pauses: run(*BEGUN, *(said for n, pause in enumerate(pauses) for said in (wait(pause), part(n))))
)


@given(st.lists(st.lists(answers, max_size=4), min_size=3, max_size=3))
def test_parts_know_together_what_one_would(parts: list[list[History]]) -> None:
    together = streams(*(history for part in parts for history in part)).state()
    for order in permutations(parts):
        one, two, three = (streams(*part).state() for part in order)
        assert one.merge(two).merge(three) == one.merge(two.merge(three)) == together


def test_what_counts_as_a_stall_must_be_the_same() -> None:
    with pytest.raises(ValueError, match="cannot be merged"):
        StreamState(1).merge(StreamState(2))
