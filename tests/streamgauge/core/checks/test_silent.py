"""Runs that are to emit nothing: only acceptance, isolation and the report are judged."""

import pytest
from msgspec.structs import replace

from streamgauge.core.analysis import Analysis, AnalysisState
from streamgauge.core.checks.judge import judge
from streamgauge.core.checks.problem import Problem
from streamgauge.core.checks.verdicts import conclude
from streamgauge.core.contract import Rule
from streamgauge.core.event import Account, Event, Kind
from streamgauge.core.history import End, History
from streamgauge.core.observation import Asked, Observation, Received
from tests.support.history import (
    CLOCK,
    LIMITS,
    SECOND,
    accepted,
    canary,
    completed,
    failed,
    heard,
    opened,
    run,
    session,
    started,
    whole,
)
from tests.support.settling import Timely

R = Rule


def asked(request: str = "q1", at: float = 0, deadline: float = 60) -> Asked:
    now = int(at * SECOND)
    return Asked(
        *(1, now, request, "t1", "guide", "c1", now, now + int(deadline * SECOND)),
        silent=True,
    )


def report(name: str = "r1", at: float = 1) -> Received:
    return heard(Event(Kind.REPORT, run=name, account=Account(900, 30, 0)), at=at)


def hushed(*said: Event, end: End | None = None) -> History:
    """A run that was to emit nothing, settled by its report unless `end` says otherwise."""
    history = run(*said, end=end or End.TERMINAL)
    history.asked = replace(history.asked, silent=True)
    history.ended_ns = SECOND if end is None else 0
    return history


def state(*rows: Observation) -> AnalysisState:
    analysis = Analysis(LIMITS, CLOCK, 0)
    for row in rows:
        analysis.add(row)
    return analysis.finish(1_000 * SECOND)


def findings(of: AnalysisState) -> dict[str, int]:
    return {verdict.rule.value: verdict.found for verdict in conclude(of.checks, Rule) if verdict.found}


# One run


@pytest.mark.parametrize(
    ("history", "applied"),
    [
        (hushed(), (R.COMPLETE,)),
        (hushed(end=End.REFUSED), (R.COMPLETE,)),
        (hushed(end=End.ABANDONED), ()),
    ],
)
def test_of_a_silent_run_only_its_end_is_judged(history: History, applied: tuple[Rule, ...]) -> None:
    judgement = judge(history, LIMITS)
    assert (judgement.exercised, judgement.problems, judgement.unknown) == (applied, (), ())


def test_a_report_that_never_comes_leaves_it_incomplete() -> None:
    assert judge(hushed(end=End.DEADLINE), LIMITS).problems == (Problem(R.COMPLETE, "its report never came"),)


@pytest.mark.parametrize("said", [(started(),), (failed("cancelled"),), whole()])
def test_events_of_a_silent_run_are_one_finding(said: tuple[Event, ...]) -> None:
    (problem,) = judge(hushed(*said[:-1], said[-1]), LIMITS).problems[-1:]
    assert problem == Problem(R.PROTOCOL, "events of a run that was to emit none", tuple(range(len(said))))


# Its rows


def test_a_silent_run_is_settled_by_its_report() -> None:
    found = state(opened(), asked(), accepted(), report())
    assert findings(found) == {}
    assert found.counts["runs silent"] == 1
    assert "runs expected whole" not in found.counts
    assert found.goodput.of == 0
    assert found.checks.exercised["complete"] == 1


@pytest.mark.parametrize("kind", [Kind.ACK, Kind.OTHER, Kind.HEARTBEAT])
def test_nothing_else_stands_for_the_report(kind: Kind) -> None:
    assembler = Timely()
    for row in (opened(), asked(), accepted(), heard(Event(kind, run="r1"), at=1)):
        assembler.add(row)
    (history,) = assembler.finish(70 * SECOND)
    assert history.end is End.DEADLINE


def test_a_silent_run_whose_report_never_comes_is_not_complete() -> None:
    found = state(opened(), asked(), accepted())
    assert findings(found) == {"complete": 1}
    assert found.counts["runs never settled"] == 1


def test_a_report_after_the_deadline_comes_too_late() -> None:
    assert findings(state(opened(), asked(deadline=1), accepted(), report(at=2))) == {"complete": 1}


def test_a_terminal_event_does_not_stand_for_the_report() -> None:
    end = replace(completed(), user="ann", run="r1", seq=1, offset=1)
    assert findings(state(opened(), asked(), accepted(), heard(end, at=1))) == {"complete": 1, "protocol": 1}
    assert findings(state(opened(), asked(), accepted(), heard(end, at=1), report())) == {"protocol": 1}


def test_an_event_that_comes_within_the_grace_time_is_found_too() -> None:
    late = replace(started(), user="ann", run="r1", seq=1, offset=1)
    assert findings(state(opened(), asked(), accepted(), report(), heard(late, at=1.5))) == {"protocol": 1}


def test_isolation_is_judged_of_silent_runs_too() -> None:
    leak = replace(report(), foreign=canary("ben"))
    assert findings(state(opened(), asked(), accepted(), leak)) == {"isolation-canary": 1}


def test_silent_runs_use_up_no_offsets() -> None:
    rows = session(run(*whole()), leaves=False)
    later = [
        replace(row, at_ns=row.at_ns + 9 * SECOND) for row in session(run(*whole(), name="r3", request="q3"))
    ]
    told: list[Observation] = [
        replace(row, event=replace(row.event, offset=row.event.offset + 10))
        if isinstance(row, Received) and row.event.offset
        else row
        for row in later[1:]
    ]
    between: list[Observation] = [asked("q2", at=5), accepted("r2", "q2", at=5), report("r2", at=6)]
    found = state(*rows, *between, *told)
    assert findings(found) == {}
    assert (found.counts["runs silent"], found.counts["runs completed"]) == (1, 2)


def test_a_report_settles_no_run_that_has_events() -> None:
    assert findings(state(opened(), replace(asked(), silent=False), accepted(), report())) == {"complete": 1}
