import pytest

from streamgauge.core.event import Event, Kind
from streamgauge.core.finding import Outcome
from streamgauge.plan import load_plan
from streamgauge.protocol import Dialect
from streamgauge.protocol.ag_ui import AG_UI
from streamgauge.protocol.native import NATIVE
from streamgauge.study.validation import FIVE, Validation, expected, unpromised, validate
from tests.support.history import (
    LIMITS,
    completed,
    ended,
    failed,
    run,
    session,
    started,
    thought,
    tool,
    whole,
)


def seen(*events: Event, expected: tuple[Kind, ...] = FIVE) -> Validation:
    return validate(session(run(*events)), expected, LIMITS, NATIVE.promises)


def times(of: Validation) -> dict[str, int]:
    return {each.kind.name.lower(): each.times for each in of.events}


def test_a_whole_run_passes_and_is_counted() -> None:
    validation = seen(*whole())
    assert validation.outcome is Outcome.PASS
    assert times(validation) == {
        "started": 1,
        "thinking": 4,
        "tool_executing": 1,
        "tool_completed": 1,
        "partial": 2,
        "completed": 1,
        "failed": 0,
    }
    assert validation.steps == (1, 2, 3)


def test_one_of_the_five_missing_is_no_pass() -> None:
    without_tools = (started(), thought(1), thought(2), thought(3), completed())
    assert seen(*without_tools).outcome is Outcome.FAIL
    assert (
        seen(*without_tools, expected=(Kind.STARTED, Kind.THINKING, Kind.COMPLETED)).outcome is Outcome.PASS
    )


def test_a_broken_rule_is_no_pass_though_every_event_came() -> None:
    validation = seen(started(), thought(2), tool("c"), ended("c"), thought(3), completed())
    assert all(each.times for each in validation.events if each.expected)
    assert validation.outcome is Outcome.FAIL
    assert validation.steps == (2, 3)


def test_a_run_that_only_fails_lacks_what_was_expected() -> None:
    validation = seen(failed())
    assert validation.outcome is Outcome.FAIL
    assert times(validation)["failed"] == 1


def test_what_a_protocol_does_not_promise_is_not_expected() -> None:
    assert unpromised(NATIVE.promises) == frozenset()
    assert unpromised(AG_UI.promises) == {Kind.THINKING}


# What can be expected


def expect(script: str, protocol: Dialect = NATIVE, *, scripted: bool = True) -> set[str]:
    persona = load_plan(f"personas = [{{ script = [{script}] }}]", "").personas[0]
    return {kind.name.lower() for kind in expected(persona, protocol.promises, scripted=scripted)}


def test_the_default_script_brings_all_that_there_is() -> None:
    assert expect("") == {
        *("started", "thinking", "tool_executing", "tool_completed", "partial", "completed"),
    }


def test_an_agent_of_ones_own_owes_its_contract_and_no_more() -> None:
    assert expect("", scripted=False) == {"started", "thinking", "completed"}
    assert expect("", AG_UI, scripted=False) == {"started", "completed"}


@pytest.mark.parametrize(
    ("script", "brings"),
    [
        ('{ do = "result" }', set()),
        ('{ do = "tool", name = "a" }, { do = "result" }', {"tool_executing", "tool_completed"}),
        ('{ do = "parallel", steps = [{ do = "stream", chunks = 2 }] }, { do = "result" }', {"partial"}),
    ],
)
def test_a_script_brings_what_it_says(script: str, brings: set[str]) -> None:
    assert expect(script) == {"started", "thinking", "completed"} | brings
    assert expect(f'{{ do = "think" }}, {script}', AG_UI) == {"started", "thinking", "completed"} | brings


def test_a_script_that_fails_is_to_fail() -> None:
    assert expect('{ do = "tool", name = "a" }, { do = "fail" }') == {"started", "failed"}
