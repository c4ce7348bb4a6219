from itertools import product

import pytest

from streamgauge.core.contract import BREACHES, LEGAL, Limits, Rule, State, Symbol, symbol
from streamgauge.core.event import Event, Kind
from tests.support.history import completed, ended, failed, idea, part, started, thought, tool, work

STEPS = set(product(State, Symbol))


def test_the_tables_say_what_happens_for_every_state_and_symbol() -> None:
    assert LEGAL.keys() | BREACHES.keys() == STEPS


def test_no_step_is_both_legal_and_a_breach() -> None:
    assert not LEGAL.keys() & BREACHES.keys()


def test_a_successful_run_is_the_only_way_to_completion() -> None:
    ways = {
        Symbol.STARTED: (State.NEW, State.STARTED),
        Symbol.STEP_1: (State.STARTED, State.ANALYSED),
        Symbol.STEP_2: (State.ANALYSED, State.WORKING),
        Symbol.WORK: (State.WORKING, State.WORKING),
        Symbol.STEP_3: (State.WORKING, State.CONCLUDED),
        Symbol.COMPLETED: (State.CONCLUDED, State.ENDED),
    }
    legal = {(before, step): after for step, (before, after) in ways.items()}
    errors = {(state, Symbol.FAILED): State.ENDED for state in State if state is not State.ENDED}
    assert legal | errors == LEGAL


@pytest.mark.parametrize(("step", "breach"), BREACHES.items())
def test_a_breach_never_leads_backwards(step: tuple[State, Symbol], breach: tuple[Rule, str, State]) -> None:
    order = list(State)
    assert order.index(breach[2]) >= order.index(step[0])


@pytest.mark.parametrize("late", Symbol)
def test_whatever_comes_after_the_end_breaks_terminal_last(late: Symbol) -> None:
    rule, text, after = BREACHES[State.ENDED, late]
    assert (rule, after) == (Rule.TERMINAL_LAST, State.ENDED)
    assert text == f"{late.value} after the end"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (started(), Symbol.STARTED),
        (thought(1), Symbol.STEP_1),
        (thought(2), Symbol.STEP_2),
        (thought(3), Symbol.STEP_3),
        (idea(), Symbol.WORK),
        (idea(1), Symbol.WORK),
        (tool("c"), Symbol.WORK),
        (ended("c"), Symbol.WORK),
        (part(0), Symbol.WORK),
        (work(), Symbol.WORK),
        (completed(), Symbol.COMPLETED),
        (failed(), Symbol.FAILED),
    ],
)
def test_every_event_of_a_run_is_a_symbol(event: Event, expected: Symbol) -> None:
    assert symbol(event) is expected


def test_other_messages_are_none() -> None:
    with pytest.raises(KeyError):
        symbol(Event(Kind.HEARTBEAT))


def test_the_names_are_those_that_reports_and_the_drawing_use() -> None:
    assert [rule.value for rule in Rule] == [
        *("started-first", "thinking-present", "tool-pairing", "terminal-last", "seq-contiguous"),
        *("offset-contiguous", "partial-integrity", "complete", "no-silence", "echo", "protocol"),
        *("isolation-envelope", "isolation-canary", "isolation-active", "resource"),
    ]
    assert [state.value for state in State] == ["new", "started", "analysed", "working", "concluded", "ended"]
    assert [symbol.value for symbol in Symbol] == [
        *("agent started", "pipeline step 1", "pipeline step 2", "pipeline step 3"),
        *("agent's thought, tool or partial result", "agent completed", "agent error"),
    ]


def test_the_limits_are_those_of_the_docs_where_a_plan_states_no_other() -> None:
    second = 1_000_000_000
    limits = Limits()
    assert (limits.silence_ns, limits.grace_ns, limits.stall_ns) == (10 * second, second, second)
    assert not limits.greets
    assert not limits.accepts
