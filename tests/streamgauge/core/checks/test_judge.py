"""Which rules speak about a run, and what one breach of each is."""

import pytest
from msgspec.structs import replace

from streamgauge.core.checks.judge import judge
from streamgauge.core.checks.problem import Problem
from streamgauge.core.contract import Rule
from streamgauge.core.history import End, History
from tests.support.history import (
    LIMITS,
    accepted,
    completed,
    ended,
    failed,
    idea,
    lost,
    part,
    run,
    started,
    thought,
    tool,
    wait,
    whole,
)
from tests.support.judged import BEGUN, broken

R = Rule
ALWAYS = {R.SEQ_CONTIGUOUS, R.ECHO, R.STARTED_FIRST, R.THINKING_PRESENT, R.NO_SILENCE}


@pytest.mark.parametrize(
    ("history", "applied"),
    [
        (run(*whole()), {R.COMPLETE, R.TERMINAL_LAST, R.TOOL_PAIRING, R.PARTIAL_INTEGRITY, *ALWAYS}),
        (run(*BEGUN, thought(3), completed()), {R.COMPLETE, R.TERMINAL_LAST, *ALWAYS}),
        (run(*BEGUN, part(0), failed()), {R.COMPLETE, R.TERMINAL_LAST, R.PARTIAL_INTEGRITY, *ALWAYS}),
        (run(*BEGUN, tool("c"), failed("run_lost")), {R.COMPLETE, R.TERMINAL_LAST, R.TOOL_PAIRING, *ALWAYS}),
        (run(failed()), {R.COMPLETE, R.TERMINAL_LAST, *ALWAYS}),
        (run(*BEGUN, failed("cancelled"), cancelled=True), {R.COMPLETE, R.TERMINAL_LAST, *ALWAYS}),
        (run(end=End.REFUSED), {R.COMPLETE}),
        # abandoned: what arrived is judged, but not its end
        (run(*BEGUN, tool("c"), end=End.ABANDONED), {R.TOOL_PAIRING, *ALWAYS}),
        (run(*BEGUN, part(0), end=End.ABANDONED), {R.PARTIAL_INTEGRITY, *ALWAYS}),
        (run(end=End.ABANDONED), set()),
    ],
)
def test_a_good_run_keeps_the_rules_that_speak_about_it(history: History, applied: set[Rule]) -> None:
    judgement = judge(history, LIMITS)
    assert judgement.problems == ()
    assert judgement.unknown == ()
    assert sorted(judgement.exercised) == sorted(applied)


@pytest.mark.parametrize(
    ("history", "rule", "text", "places"),
    [
        (run(thought(1), failed()), R.STARTED_FIRST, "no start before it", (0,)),
        (run(started(), thought(1), tool("c"), ended("c")), R.THINKING_PRESENT, "step 2 missing", (2,)),
        (run(*BEGUN, tool("c"), failed()), R.TOOL_PAIRING, "tool never completed", (3,)),
        (
            run(*BEGUN, failed(), idea()),
            R.TERMINAL_LAST,
            "agent's thought, tool or partial result after the end",
            (4,),
        ),
        (run(*BEGUN, part(1), failed()), R.PARTIAL_INTEGRITY, "wrong index", (3,)),
        (run(*BEGUN, failed("cancelled")), R.COMPLETE, "cancelled, and its user had not asked for it", (3,)),
        (run(*BEGUN, wait(11), failed()), R.NO_SILENCE, "silent", (3,)),
        (run(thought(1), end=End.ABANDONED), R.STARTED_FIRST, "no start before it", (0,)),
    ],
)
def test_one_breach_is_one_finding(history: History, rule: Rule, text: str, places: tuple[int, ...]) -> None:
    history.end = End.ABANDONED if history.end is End.DEADLINE else history.end
    assert [problem[:3] for problem in broken(history)] == [(rule, text, places)]


@pytest.mark.parametrize(
    ("history", "text"),
    [(run(), "never began"), (run(started(), thought(1), thought(2), tool("c")), "never ended")],
)
def test_a_run_that_hangs_is_not_complete_and_no_more(history: History, text: str) -> None:
    assert [(problem.rule, problem.problem) for problem in broken(history)] == [(R.COMPLETE, text)]


def test_an_echo_is_judged_whatever_else_is() -> None:
    history = run(*BEGUN, lost(tool("c")), ended("c"), thought(3), completed())
    history.events[-1] = replace(history.events[-1], event=replace(history.events[-1].event, context="c2"))
    assert [rule for rule, *_ in broken(history)] == [R.SEQ_CONTIGUOUS, R.ECHO]


def test_a_run_that_was_not_accepted_first_breaks_the_protocol_that_accepts() -> None:
    accepting = replace(LIMITS, accepts=True)
    history = run(*whole())
    (problem,) = judge(history, accepting).problems
    assert problem == Problem(Rule.PROTOCOL, "it began without having been accepted", (0,))
    history.accepted = accepted()
    assert judge(history, accepting).problems == ()
