"""One cause is one finding: what was lost, repeated or reordered breaks no second rule."""

import pytest
from msgspec.structs import replace

from streamgauge.core.checks.judge import DEPENDENT, judge
from streamgauge.core.checks.problem import Problem
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Ranges
from streamgauge.core.history import End, History
from tests.support.history import (
    LIMITS,
    completed,
    ended,
    failed,
    idea,
    lost,
    run,
    started,
    swapped,
    thought,
    tool,
    twice,
    wait,
    whole,
)
from tests.support.judged import BEGUN, broken

R = Rule


def one(number: int) -> Ranges:
    return ((number, number),)


@pytest.mark.parametrize("place", range(len(whole())))
def test_a_repeat_is_recorded_once_and_reaches_no_other_rule(place: int) -> None:
    said = list(whole())
    history = run(*said[:place], twice(said[place]), *said[place + 1 :])
    assert broken(history) == [Problem(R.SEQ_CONTIGUOUS, "repeat", (place + 1,), one(place + 1))]
    assert judge(history, LIMITS).unknown == ()


def test_repeats_of_several_events_are_one_finding() -> None:
    history = run(started(), twice(thought(1)), twice(thought(2)), thought(3), completed())
    assert broken(history) == [Problem(R.SEQ_CONTIGUOUS, "repeat", (2, 4), ((2, 2), (3, 3)))]


@pytest.mark.parametrize("end", [End.DEADLINE, End.ABANDONED])
def test_a_repeat_neither_makes_nor_breaks_a_silence(end: End) -> None:
    repeat = run(started(), twice(thought(1)), end=End.ABANDONED).events[2]
    alone = run(started(), thought(1), end=end)
    alone.events.append(replace(repeat, at_ns=repeat.at_ns + 12 * 10**9))
    assert R.NO_SILENCE not in [rule for rule, *_ in broken(alone)]

    within = run(started(), thought(1), wait(12), thought(2), end=end)
    within.events.insert(2, replace(repeat, at_ns=repeat.at_ns + 6 * 10**9))
    assert Problem(R.NO_SILENCE, "silent", (3,), lasted_ns=12 * 10**9) in broken(within)


@pytest.mark.parametrize(
    "history",
    [
        run(lost(started()), *whole()[1:]),
        run(lost(started()), lost(thought(1)), *whole()[2:]),
        run(lost(started()), failed()),
        run(lost(started()), thought(1), end=End.ABANDONED),
    ],
)
def test_a_missing_head_is_started_first_and_no_gap(history: History) -> None:
    lost = history.events[0].event.seq - 1
    assert broken(history) == [Problem(R.STARTED_FIRST, "head missing", (0,), ((1, lost),))]
    assert judge(history, LIMITS).lost == lost


def test_a_missing_head_and_a_gap_are_two_findings() -> None:
    history = run(lost(started()), thought(1), lost(thought(2)), lost(idea()), thought(3), completed())
    assert broken(history) == [
        Problem(R.STARTED_FIRST, "head missing", (0,), one(1)),
        Problem(R.SEQ_CONTIGUOUS, "gap", (1,), ((3, 4),)),
    ]
    assert judge(history, LIMITS).lost == 3


@pytest.mark.parametrize(
    ("history", "numbers", "place"),
    [
        (run(thought(1), lost(thought(2)), failed()), ((2, 2),), 1),  # no start was sent
        (run(lost(idea()), started(), failed()), ((1, 1),), 0),  # the start is there
        (run(started(), lost(thought(1)), idea(), lost(idea()), failed()), ((2, 2), (4, 4)), 1),
    ],
)
def test_a_gap_is_no_missing_head_where_a_start_came_or_something_before_it(
    history: History, numbers: Ranges, place: int
) -> None:
    assert broken(history) == [Problem(R.SEQ_CONTIGUOUS, "gap", (place,), numbers)]


@pytest.mark.parametrize("place", range(1, len(whole()) - 1))
def test_any_other_gap_makes_the_dependent_rules_unknown(place: int) -> None:
    said = list(whole())
    history = run(*said[:place], lost(said[place]), *said[place + 1 :])
    judgement = judge(history, LIMITS)
    assert broken(history) == [Problem(R.SEQ_CONTIGUOUS, "gap", (place,), one(place + 1))]
    assert judgement.unknown == DEPENDENT
    assert judgement.exercised == (R.COMPLETE, R.SEQ_CONTIGUOUS, R.ECHO)
    assert judgement.lost == 1


def test_a_gap_hides_neither_a_hanging_run_nor_one_that_was_cancelled() -> None:
    hanging = run(started(), lost(thought(1)), thought(2))
    bystander = run(started(), lost(thought(1)), failed("cancelled"))
    for history in (hanging, bystander):
        assert [rule for rule, *_ in broken(history)] == [R.COMPLETE, R.SEQ_CONTIGUOUS]


@pytest.mark.parametrize("place", range(len(whole()) - 1))
def test_a_gap_that_is_filled_was_reordering_and_the_rest_is_read_in_order(place: int) -> None:
    said = list(whole())
    history = run(*said[:place], swapped(said[place], said[place + 1]), *said[place + 2 :])
    assert broken(history) == [Problem(R.SEQ_CONTIGUOUS, "step back", (place + 1,), one(place + 1))]
    assert judge(history, LIMITS).unknown == ()


def test_what_is_wrong_in_order_is_shown_where_it_arrived() -> None:
    history = run(
        swapped(started(), thought(1)), thought(2), swapped(tool("c"), tool("d")), ended("d"), failed()
    )
    assert broken(history)[-1] == Problem(R.TOOL_PAIRING, "tool never completed", (4,))


def test_a_run_can_lose_repeat_and_reorder_at_once() -> None:
    history = run(twice(started()), lost(thought(1)), swapped(thought(2), thought(3)), completed())
    assert [(problem.problem, problem.numbers) for problem in broken(history)] == [
        ("repeat", one(1)),
        ("step back", one(3)),
        ("gap", one(2)),
    ]
    judgement = judge(history, LIMITS)
    assert (judgement.lost, judgement.repeated, judgement.reordered) == (1, 1, 1)


def test_repeats_and_steps_back_are_counted_where_nothing_is_lost() -> None:
    judgement = judge(run(twice(started()), swapped(thought(1), thought(2)), twice(failed())), LIMITS)
    assert (judgement.lost, judgement.repeated, judgement.reordered) == (0, 2, 1)
    judgement = judge(run(*whole()), LIMITS)
    assert (judgement.lost, judgement.repeated, judgement.reordered) == (0, 0, 0)


@pytest.mark.parametrize("end", [End.REFUSED, End.DEADLINE, End.ABANDONED])
def test_where_nothing_came_nothing_is_counted(end: End) -> None:
    judgement = judge(run(end=end), LIMITS)
    assert (judgement.lost, judgement.repeated, judgement.reordered) == (0, 0, 0)


def test_a_server_that_jumps_to_any_number_costs_nothing() -> None:
    history = run(started(), failed())
    history.events[1] = replace(history.events[1], event=replace(history.events[1].event, seq=2**63 - 1))
    assert broken(history) == [Problem(R.SEQ_CONTIGUOUS, "gap", (1,), ((2, 2**63 - 2),))]


def test_of_many_gaps_the_first_twenty_are_kept_and_the_others_counted() -> None:
    gaps = [event for _ in range(30) for event in (idea(), lost(idea()), lost(idea()))]
    (problem,) = broken(run(started(), *gaps, failed()))
    assert problem.numbers == tuple((first, first + 1) for first in range(3, 63, 3))
    assert problem.more == 2 * 10
    assert judge(run(started(), *gaps, failed()), LIMITS).lost == 2 * 30


def test_of_many_repeats_too() -> None:
    problem, *_ = broken(run(started(), *(twice(idea()) for _ in range(21)), failed()))
    assert problem.numbers == tuple((seq, seq) for seq in range(2, 22))
    assert (problem.more, len(problem.at)) == (1, 21)


def test_a_protocol_without_numbers_has_no_order_to_keep() -> None:
    history = run(*BEGUN, failed())
    history.events = [replace(r, event=replace(r.event, seq=0, offset=0)) for r in history.events]
    judgement = judge(history, LIMITS)
    assert judgement.problems == ()
    assert R.SEQ_CONTIGUOUS not in judgement.exercised
