"""What a run that completed brought is what its script makes, or a finding."""

import pytest
from msgspec.structs import replace

from streamgauge.core.checks.judge import judge
from streamgauge.core.checks.problem import Problem
from streamgauge.core.checks.scripted import made
from streamgauge.core.contract import Rule
from streamgauge.core.event import Event
from streamgauge.core.history import End, History
from streamgauge.core.observation import Makes
from tests.support.history import (
    LIMITS,
    Said,
    canary,
    completed,
    ended,
    failed,
    idea,
    lost,
    part,
    run,
    session,
    started,
    swapped,
    thought,
    tool,
    twice,
    whole,
)
from tests.support.judged import BEGUN, broken, checked, failures, numbered
from tests.support.stretches import plain

R = Rule
WHOLE = Makes(thoughts=1, tools=1, parts=2)  # of `whole`
THOUGHTS, TOOLS, PARTS = (f"not the {things} of the script" for things in ("thoughts", "tools", "parts"))
END = (thought(3), completed("sum", "sum"))
NOTHING = run(*BEGUN, thought(3), completed())


def asked(*said: Said, makes: Makes | None = WHOLE) -> History:
    """A run of a script."""
    return run(*said, makes=makes)


# What came


@pytest.mark.parametrize(
    ("events", "came"),
    [
        ([], Makes()),
        (whole(), WHOLE),
        ([started(), thought(1), thought(2), idea(), idea(3)], Makes(thoughts=2)),
        ([tool("a"), tool("b"), ended("b"), ended("a")], Makes(tools=2)),
        ([part(0), completed(), idea(), tool("a"), part(1)], Makes(parts=1)),
        ([part(0), failed(), idea(), tool("a"), part(1)], Makes(parts=1)),
    ],
)
def test_what_the_agent_did_is_counted_until_the_end(events: list[Event], came: Makes) -> None:
    assert made(events) == came


# What was due


def test_what_its_script_makes_may_come() -> None:
    assert broken(asked(*whole())) == []
    assert broken(plain(asked(*whole()))) == []


@pytest.mark.parametrize(
    ("said", "rule", "problem", "came", "due"),
    [
        ((*BEGUN, tool("c"), ended("c"), part(0), part(1), *END), R.THINKING_PRESENT, THOUGHTS, 0, 1),
        ((*BEGUN, idea(), *whole()[3:]), R.THINKING_PRESENT, THOUGHTS, 2, 1),
        ((*BEGUN, idea(), part(0), part(1), *END), R.TOOL_PAIRING, TOOLS, 0, 1),
        ((*BEGUN, tool("d"), ended("d"), *whole()[3:]), R.TOOL_PAIRING, TOOLS, 2, 1),
        ((*BEGUN, tool("c"), idea(), ended("c"), *END), R.PARTIAL_INTEGRITY, PARTS, 0, 2),
        ((*BEGUN, tool("c"), idea(), ended("c"), part(0), *END), R.PARTIAL_INTEGRITY, PARTS, 1, 2),
        ((*whole()[:8], part(2), *END), R.PARTIAL_INTEGRITY, PARTS, 3, 2),
    ],
)
@pytest.mark.parametrize("known", [False, True])
def test_less_and_more_is_a_finding_with_both_numbers(
    said: tuple[Event, ...], rule: Rule, problem: str, came: int, due: int, known: bool
) -> None:
    if known:  # the form was found clean before, in a run without a script
        assert broken(plain(run(*said))) == []
    found = [Problem(rule, problem, (len(said) - 1,), ((came, came), (due, due)))]
    assert broken(plain(asked(*said))) == broken(plain(asked(*said), 4, 6)) == found
    assert broken(asked(*said)) == found


def test_a_server_that_knows_nothing_of_scripts_breaks_three_rules() -> None:
    assert numbered(checked(*session(replace(NOTHING, asked=asked().asked)))) == [
        (R.THINKING_PRESENT, THOUGHTS, ((0, 0), (1, 1))),
        (R.TOOL_PAIRING, TOOLS, ((0, 0), (1, 1))),
        (R.PARTIAL_INTEGRITY, PARTS, ((0, 0), (2, 2))),
    ]


def test_a_rule_that_had_no_event_to_judge_is_exercised_by_what_is_due() -> None:
    state = checked(*session(replace(NOTHING, asked=asked().asked)))
    assert (state.exercised[R.TOOL_PAIRING], state.exercised[R.PARTIAL_INTEGRITY]) == (1, 1)


# Where nothing is due


@pytest.mark.parametrize(
    "history",
    [
        pytest.param(run(*BEGUN, thought(3), completed()), id="no script was sent"),
        pytest.param(run(*BEGUN, thought(3), completed(), makes=WHOLE, cancelled=True), id="cancelled"),
        pytest.param(run(*BEGUN, thought(3), completed(), makes=WHOLE, spoken=True), id="spoken into"),
        pytest.param(run(*BEGUN, makes=WHOLE, end=End.ABANDONED), id="its user left"),
    ],
)
def test_a_run_that_was_not_left_to_a_script_until_it_completed_is_held_against_none(
    history: History,
) -> None:
    broken(plain(asked(*whole())))
    assert broken(history) == []
    assert broken(plain(history)) == []


def test_a_run_that_failed_is_held_against_no_script() -> None:
    assert broken(asked(*BEGUN, failed())) == []
    assert [problem.rule for problem in broken(asked(*BEGUN, failed(), completed()))] == [R.TERMINAL_LAST]


def test_a_known_form_that_is_of_its_script_is_not_judged_anew() -> None:
    known = judge(plain(run(*whole())), LIMITS)
    assert judge(plain(asked(*whole())), LIMITS) is known


@pytest.mark.parametrize("excuse", ["cancelled", "spoken"])
def test_an_excuse_is_one_for_a_form_that_is_known_too(excuse: str) -> None:
    other = replace(WHOLE, thoughts=0)
    assert broken(plain(asked(*whole()))) == []
    assert broken(plain(asked(*whole(), makes=other))) != []
    excused = plain(asked(*whole(), makes=other))
    setattr(excused, excuse, True)
    known = judge(plain(run(*whole())), LIMITS)
    assert judge(excused, LIMITS) is known


# One cause, one finding


@pytest.mark.parametrize(
    ("said", "rule", "problem"),
    [
        ((*BEGUN, ended("c"), idea(), part(0), part(1), *END), R.TOOL_PAIRING, "that was not running"),
        ((*BEGUN, tool("c"), tool("d"), ended("d"), *whole()[4:5], *whole()[6:]), R.TOOL_PAIRING, "never"),
        ((*whole()[:6], part(1), *END), R.PARTIAL_INTEGRITY, "wrong index"),
        ((*whole()[:7], thought(3), completed("sum", "su")), R.PARTIAL_INTEGRITY, "do not join"),
        ((started(), thought(1), *whole()[3:4], *whole()[5:]), R.THINKING_PRESENT, "step 2 missing"),
        ((tool("x"), ended("x"), *END), R.STARTED_FIRST, "no start"),
    ],
)
def test_where_a_rule_has_its_finding_there_is_no_second(
    said: tuple[Event, ...], rule: Rule, problem: str
) -> None:
    (found,) = broken(asked(*said))
    assert found.rule is rule
    assert problem in found.problem


def test_where_a_gap_keeps_the_rules_from_a_run_it_keeps_this_from_it() -> None:
    said = (*BEGUN, lost(tool("c")), lost(ended("c")), idea(), part(0), part(1), *END)
    state = checked(*session(asked(*said)))
    assert failures(state) == [(R.SEQ_CONTIGUOUS, "gap")]
    assert state.unknown[R.TOOL_PAIRING] == state.unknown[R.THINKING_PRESENT] == 1


def test_what_came_twice_counts_once_and_what_came_late_counts() -> None:
    said = (*BEGUN, tool("c"), twice(idea()), swapped(ended("c"), part(0)), part(1), *END)
    assert [problem.problem for problem in broken(asked(*said))] == ["repeat", "step back"]


def test_what_was_swapped_is_found_at_the_end_in_order_of_arrival() -> None:
    found = broken(asked(*BEGUN, swapped(tool("c"), ended("c")), part(0), part(1), *END))
    assert [(problem.problem, problem.at) for problem in found] == [("step back", (4,)), (THOUGHTS, (8,))]


def test_who_answers_with_anothers_words_is_not_asked_where_the_own_ones_are() -> None:
    history = asked(*BEGUN, thought(3), completed())
    history.events[-1] = replace(history.events[-1], foreign=canary("eve"))
    assert failures(checked(*session(history))) == [(R.ISOLATION_CANARY, "another user's canary")]
