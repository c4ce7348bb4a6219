"""What the checks say of messages, sessions and runs, and how often each rule was exercised."""

from collections.abc import Collection

import pytest
from msgspec.structs import replace

from streamgauge.core.assembly import Assembler
from streamgauge.core.checks.fold import Checks
from streamgauge.core.checks.state import KEPT
from streamgauge.core.checks.verdicts import conclude
from streamgauge.core.contract import ATTACKED, COUNTED, EVERY_RULE, Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.finding import Outcome, Verdict
from streamgauge.core.observation import Malformed, Observation, Overheard, Received
from streamgauge.core.ownership import Settlements
from tests.support.history import (
    LIMITS,
    SECOND,
    accepted,
    canary,
    completed,
    failed,
    heard,
    lost,
    opened,
    run,
    session,
    started,
    thought,
    tool,
    whole,
)
from tests.support.judged import ANNS, checked, failures, findings, take, verdicts

R = Rule


# Counting


def test_a_good_session_breaks_nothing_and_is_counted() -> None:
    state = checked(*session(run(*whole()), run(started(), failed(), name="r2", request="q2")))
    assert failures(state) == []
    exercised = {rule: verdict.exercised for rule, verdict in verdicts(state).items()}
    assert exercised == {
        R.STARTED_FIRST: 2,
        R.THINKING_PRESENT: 2,
        R.TOOL_PAIRING: 1,
        R.TERMINAL_LAST: 2,
        R.SEQ_CONTIGUOUS: 2,
        R.OFFSET_CONTIGUOUS: 12,
        R.PARTIAL_INTEGRITY: 1,
        R.COMPLETE: 2,
        R.NO_SILENCE: 2,
        R.ECHO: 2,
        R.PROTOCOL: 14,
        R.ISOLATION_ENVELOPE: 12,
        R.ISOLATION_CANARY: 14,
        R.ISOLATION_ACTIVE: 0,  # no stream shows it, nor what the server holds
        R.RESOURCE: 0,
    }
    outcomes = {v.outcome for v in verdicts(state).values() if v.rule not in ATTACKED | COUNTED}
    assert outcomes == {Outcome.PASS}


def test_what_was_not_exercised_is_unknown_and_what_is_required_is_said() -> None:
    state = checked(*session(run(started(), failed())))
    by_rule = {verdict.rule: verdict for verdict in conclude(state, [R.TOOL_PAIRING])}
    assert list(by_rule) == list(Rule)
    assert by_rule[R.TOOL_PAIRING] == Verdict(R.TOOL_PAIRING, Outcome.UNKNOWN, True, 0, 0, 0)
    assert by_rule[R.PARTIAL_INTEGRITY] == Verdict(R.PARTIAL_INTEGRITY, Outcome.UNKNOWN, False, 0, 0, 0)
    assert by_rule[R.ECHO] == Verdict(R.ECHO, Outcome.PASS, False, 1, 0, 0)


def test_unknown_outranks_pass_and_fail_outranks_unknown() -> None:
    gap = run(started(), thought(1), lost(thought(2)), tool("c"), failed())
    open_tool = run(started(), thought(1), thought(2), tool("c"), failed(), name="r2", request="q2")
    by_rule = verdicts(checked(*session(gap, open_tool)))
    assert by_rule[R.THINKING_PRESENT].outcome is Outcome.UNKNOWN
    assert (by_rule[R.THINKING_PRESENT].exercised, by_rule[R.THINKING_PRESENT].unknown) == (1, 1)
    assert by_rule[R.TOOL_PAIRING].outcome is by_rule[R.SEQ_CONTIGUOUS].outcome is Outcome.FAIL
    assert by_rule[R.ECHO].outcome is Outcome.PASS


def test_all_findings_are_counted_and_the_earliest_are_kept() -> None:
    runs = [run(started(), failed("cancelled"), name=f"r{n}", request=f"q{n}") for n in range(KEPT + 5)]
    verdict = verdicts(checked(*session(*runs)))[R.COMPLETE]
    assert (verdict.found, verdict.exercised) == (KEPT + 5, KEPT + 5)
    assert KEPT == 20, "as docs/report.md says"
    assert [finding.run for finding in verdict.findings] == [f"r{n}" for n in range(KEPT)]


def test_a_finding_shows_the_guilty_event_among_its_neighbours() -> None:
    history = run(started(), thought(1), thought(2), tool("c"), thought(3), completed())
    (finding,) = findings(checked(*session(history)))
    assert (finding.rule, finding.user, finding.conn, finding.run, finding.request) == (
        *(R.TOOL_PAIRING, "ann", 1, "r1", "q1"),
    )
    assert [(w.kind, w.seq, w.detail, w.guilty) for w in finding.witnesses] == [
        ("thinking", 2, "pipeline step 1", False),
        ("thinking", 3, "pipeline step 2", False),
        ("tool_executing", 4, "c", True),
        ("thinking", 5, "pipeline step 3", False),
        ("completed", 6, "", False),
    ]


# Messages


def test_a_malformed_message_breaks_protocol_and_is_scanned_for_canaries() -> None:
    broken = Malformed(1, 1, 99, "not a JSON object with a type", canary("ben"))
    state = checked(opened(), opened("ben", conn=2), broken)
    assert failures(state) == [
        (R.PROTOCOL, "not a JSON object with a type"),
        (R.ISOLATION_CANARY, "another user's canary"),
    ]
    assert findings(state)[1].other == "ben"
    assert verdicts(state)[R.ISOLATION_CANARY].exercised == 1


def test_a_canary_in_what_is_no_message_is_a_leak_and_breaks_no_other_rule() -> None:
    ping = Overheard(1, 1, 28, "ping", canary("ben"))
    state = checked(opened(), opened("ben", conn=2), ping)
    assert failures(state) == [(R.ISOLATION_CANARY, "another user's canary")]
    (leak,) = findings(state)
    assert (leak.user, leak.conn, leak.other) == ("ann", 1, "ben")
    assert [(w.kind, w.size, w.detail, w.guilty) for w in leak.witnesses] == [
        ("ping", 28, "no message", True)
    ]
    assert state.leaks.by_canary == {"ann": {canary("ben"): 1}}


def test_nobody_is_told_of_it_where_the_rule_is_not_promised() -> None:
    ping = Overheard(1, 1, 28, "ping", canary("ben"))
    checks = Checks(LIMITS, promises={R.PROTOCOL})
    for row in (opened(), opened("ben", conn=2), ping):
        checks.add(row)
    assert findings(checks.finish([])) == []


def test_what_comes_before_the_greeting_is_no_crash() -> None:
    early = heard(ANNS, conn=1)
    assert failures(checked(early, opened(at=1))) == []


def test_a_server_that_greets_does_so_first_and_once() -> None:
    greeting = heard(Event(Kind.GREETING, user="ann"))
    cases: tuple[tuple[list[Observation], str], ...] = (
        ([opened(), heard(Event(Kind.HEARTBEAT)), greeting], "a message before the greeting"),
        ([opened(), greeting, greeting], "a second greeting"),
    )
    for rows, problem in cases:
        checks = Checks(replace(LIMITS, greets=True))
        for row in rows:
            checks.add(row)
        assert (Rule.PROTOCOL, problem) in failures(checks.finish(()))


# What it tells of a run


def clean(*rows: Observation, promises: Collection[Rule] = EVERY_RULE) -> dict[str, bool]:
    """Of every request, whether its run broke no rule."""
    settled = Settlements()
    assembler, checks = Assembler(LIMITS, settled), Checks(LIMITS, promises, settled)
    told: dict[str, bool] = {}
    for row in sorted(rows, key=lambda row: row.at_ns):
        told |= take(row, assembler, checks)
    return told | {
        history.asked.request: checks.settle(history).clean for history in assembler.finish(1000 * SECOND)
    }


def test_a_run_is_clean_where_it_broke_no_rule() -> None:
    bad = run(started(), completed(), name="r2", request="q2")
    assert clean(*session(run(*whole()), bad)) == {"q1": True, "q2": False}


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(heard(Event(Kind.OTHER, run="r1"), at=0.035, foreign=canary("eve")), id="canary"),
        pytest.param(heard(Event(Kind.OTHER, run="r1", user="eve"), at=0.035), id="envelope"),
        pytest.param(heard(Event(Kind.OTHER, run="r1", breach="odd"), at=0.035), id="breach"),
        pytest.param(heard(Event(Kind.ACK, request="q1"), at=0.035, foreign=canary("eve")), id="request"),
    ],
)
def test_what_a_message_of_a_run_breaks_is_held_against_it(event: Received) -> None:
    runs = run(*whole()), run(*whole(), name="r2", request="q2")
    assert clean(*session(*runs), event) == {"q1": False, "q2": True}


def test_what_another_socket_received_is_not() -> None:
    ann, eve = session(run(*whole())), session(run(*whole(), user="eve", conn=2, name="r2", request="q2"))
    leak = heard(replace(ANNS, offset=0, seq=0), conn=2, at=0.035, foreign=canary("ann"))
    assert clean(*ann, *eve, leak) == {"q1": True, "q2": True}


def test_what_is_not_promised_cannot_be_broken() -> None:
    odd = heard(Event(Kind.OTHER, run="r1", breach="odd"), at=0.035)
    assert clean(*session(run(*whole())), odd, promises=EVERY_RULE - {R.PROTOCOL}) == {"q1": True}


def test_a_message_that_breaks_its_protocol_s_own_order_is_a_finding_of_its_run() -> None:
    history = run(*whole())
    place = history.events[4]
    history.events[4] = replace(place, event=replace(place.event, breach="out of place"))
    (finding,) = findings(checked(*session(history)))
    assert (finding.rule, finding.problem, finding.user, finding.run) == (
        R.PROTOCOL,
        "out of place",
        "ann",
        "r1",
    )
    assert [witness.guilty for witness in finding.witnesses] == [True]


def test_what_was_accepted_without_being_asked_breaks_echo_once_with_all_its_events() -> None:
    strange = accepted("r9", "q9")
    rows = [*session(run(*whole()), leaves=False), strange, heard(Event(Kind.PARTIAL, run="r9"), at=99)]
    assert failures(checked(*rows)) == [(Rule.ECHO, "accepted what was not asked, or once more")]


def test_one_request_cannot_be_two_runs() -> None:
    rows = session(run(*whole()), leaves=False)
    rows.insert(4, replace(accepted("r2"), at_ns=rows[4].at_ns))
    assert failures(checked(*rows)) == [(Rule.ECHO, "accepted what was not asked, or once more")]
