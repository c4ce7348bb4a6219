"""What comes after a run's end or deadline, and what a run that never ended is."""

from random import Random

import pytest
from msgspec.structs import replace

from streamgauge.core.checks.state import CheckState
from streamgauge.core.contract import Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.finding import Outcome
from streamgauge.core.history import End
from streamgauge.core.observation import Closed, Received
from tests.support.history import (
    PACE,
    SECOND,
    accepted,
    completed,
    ended,
    failed,
    heard,
    idea,
    lost,
    opened,
    run,
    session,
    started,
    thought,
    tool,
    wait,
    whole,
)
from tests.support.judged import ANNS, checked, failures, findings, numbered, verdicts
from tests.support.stretches import stretched

R = Rule


def silences(state: CheckState) -> list[tuple[Rule, str, int]]:
    """What was found, and how long each silence of it was."""
    return [(finding.rule, finding.problem, finding.lasted_ns) for finding in findings(state)]


def test_what_comes_long_after_the_end_breaks_terminal_last() -> None:
    late = replace(run(*whole()).events[4].event, seq=11, offset=11)
    rows = session(run(*whole()), leaves=False)
    (finding,) = findings(checked(*rows, heard(late, at=4)))
    assert (finding.rule, finding.problem) == (R.TERMINAL_LAST, "long after the run was settled")
    assert (finding.run, finding.at_ns) == ("r1", 4 * SECOND)


def test_its_offset_is_no_second_finding() -> None:
    missed = run(started(), lost(thought(1)), thought(2), thought(3), completed())
    late = replace(run(started(), thought(1)).events[1].event, seq=2, offset=2)
    assert numbered(checked(*session(missed, leaves=False), heard(late, at=4))) == [
        (R.TERMINAL_LAST, "long after the run was settled", ()),
        (R.SEQ_CONTIGUOUS, "gap", ((2, 2),)),
    ]


def test_what_comes_long_after_the_end_is_found_whatever_came_before_the_acceptance() -> None:
    rows = session(run(*whole()), leaves=False)
    early = replace(ANNS, offset=0, seq=0)
    late = replace(ANNS, seq=11, offset=11)
    rows.insert(2, heard(early))
    assert failures(checked(*rows, heard(late, at=4))) == [
        (R.TERMINAL_LAST, "long after the run was settled")
    ]


def test_what_came_before_an_acceptance_that_is_too_late_is_part_of_that_finding() -> None:
    asked = replace(run().asked, deadline_ns=SECOND)
    early = replace(ANNS, offset=0, seq=0)
    late = accepted(at=2), heard(early, at=3)
    assert failures(checked(opened(), asked, heard(early, at=0.5), *late)) == [(R.COMPLETE, "never began")]


def test_a_silence_after_the_deadline_is_found_whatever_came_before_the_acceptance() -> None:
    rows = session(run(*whole()[:3], deadline=5), leaves=False)
    rows.insert(2, heard(replace(ANNS, offset=0, seq=0)))
    late = replace(ANNS, seq=4, offset=4)
    assert silences(checked(*rows, heard(late, at=11))) == [
        (R.COMPLETE, "never ended", 0),
        (R.NO_SILENCE, "silent", 10_970_000_000),
    ]


def test_what_comes_after_the_deadline_is_no_second_finding() -> None:
    slow = run(*whole(), deadline=0.035)
    rows = session(slow, leaves=False)
    assert failures(checked(*rows)) == [(R.COMPLETE, "never ended")]


STALLED = run(started(), thought(1), thought(2), deadline=15)  # and its next event is due at 0.04 s


def resumed(at: float, seq: int = 4) -> Received:
    """An event of the run that had stalled."""
    event = Event(
        Kind.PARTIAL, user="ann", run="r1", thread="t1", agent="guide", seq=seq, offset=seq, index=0
    )
    return heard(event, at=at)


def test_a_silence_that_outlasts_the_deadline_is_found_when_it_ends() -> None:
    rows = session(STALLED, leaves=False)
    assert failures(checked(*rows)) == [(R.COMPLETE, "never ended")]
    assert silences(checked(*rows, resumed(at=20.03))) == [
        (R.COMPLETE, "never ended", 0),
        (R.NO_SILENCE, "silent", 20 * SECOND),
    ]


def test_such_a_silence_is_shown_from_its_beginning_on() -> None:
    for rows in (session(STALLED, leaves=False), stretched(session(STALLED, leaves=False), Random(1))):
        late = findings(checked(*rows, resumed(at=20.03)))[-1]
        shown = [(witness.at_ns, witness.kind, witness.guilty) for witness in late.witnesses]
        assert shown == [(3 * PACE, "thinking", False), (int(20.03 * SECOND), "partial", True)]


def test_and_from_its_request_where_nothing_came() -> None:
    asked = session(run(deadline=5), leaves=False)[:2]
    begun = replace(run(started(), name="r1").events[0], at_ns=30 * SECOND)
    never, late = findings(checked(*asked, accepted(at=30), begun))
    (only,) = never.witnesses
    assert (only.at_ns, only.kind, only.detail, only.guilty) == (0, "asked", "connection 1, q1", True)
    assert [(w.kind, w.run, w.guilty) for w in late.witnesses] == [
        *(("asked", "r1", False), ("started", "r1", True)),
    ]


def test_what_comes_after_the_deadline_and_in_time_is_no_silence() -> None:
    slow = run(started(), thought(1), thought(2), wait(9), idea(), deadline=15)
    state = checked(*session(slow, leaves=False), resumed(at=19, seq=5), resumed(at=28, seq=6))
    assert failures(state) == [(R.COMPLETE, "never ended")]


def test_a_run_that_falls_silent_again_after_its_deadline_is_one_finding() -> None:
    state = checked(*session(STALLED, leaves=False), resumed(at=20), resumed(at=40, seq=5))
    assert [rule for rule, _ in failures(state)] == [R.COMPLETE, R.NO_SILENCE]
    assert state.found[R.NO_SILENCE] == 1


def test_a_pause_of_the_script_itself_may_outlast_the_deadline() -> None:
    resting = run(started(), thought(1), thought(2), deadline=15, pause=10)
    assert failures(checked(*session(resting, leaves=False), resumed(at=20))) == [(R.COMPLETE, "never ended")]


def test_a_run_that_begins_long_after_its_deadline_was_silent_from_its_request_on() -> None:
    asked = session(run(deadline=5), leaves=False)[:2]  # opened and asked, nothing more
    begun = replace(run(started(), name="r1").events[0], at_ns=30 * SECOND)
    assert silences(checked(*asked, accepted(at=30), begun)) == [
        (R.COMPLETE, "never began", 0),
        (R.NO_SILENCE, "silent", 30 * SECOND),
    ]


def test_a_run_that_its_user_left_is_no_loss() -> None:
    history = run(started(), thought(1), thought(2), tool("c"))
    state = checked(*session(history))
    assert failures(state) == []
    assert verdicts(state)[R.COMPLETE].exercised == 0
    assert history.end is End.DEADLINE  # it is leaving that makes it abandoned


def test_a_user_who_stays_misses_it() -> None:
    history = run(started(), thought(1), thought(2), tool("c"), ended("c"), deadline=3)
    rows = session(history, leaves=False)
    assert failures(checked(*rows, Closed(1, 4 * SECOND, 1000, ours=True))) == [(R.COMPLETE, "never ended")]


@pytest.mark.parametrize(("cancelled", "outcome"), [(True, Outcome.PASS), (False, Outcome.FAIL)])
def test_a_cancel_is_fine_where_its_user_asked_for_it(cancelled: bool, outcome: Outcome) -> None:
    history = run(started(), thought(1), failed("cancelled"), cancelled=cancelled)
    assert verdicts(checked(*session(history)))[R.COMPLETE].outcome is outcome
