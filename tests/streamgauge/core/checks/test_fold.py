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
from streamgauge.core.history import End
from streamgauge.core.observation import Asked, Closed, Malformed, Observation, Received
from streamgauge.core.ownership import Settlements
from tests.support.history import (
    LIMITS,
    SECOND,
    accepted,
    canary,
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
    swapped,
    thought,
    tool,
    twice,
    wait,
    whole,
)
from tests.support.judged import checked, failures, findings, take, verdicts, with_offsets

R = Rule


def ben(*events: Event) -> list[Observation]:
    """Ben's own good run, and what else came over his socket meanwhile, after its second event."""
    rows = session(run(*whole(), user="ben", conn=2, name="r2", request="q2"))
    strange = [heard(event, conn=2, at=0.025) for event in events]
    return [*rows, *strange]


ANNS = run(*whole()).events[4].event  # one of Ann's events


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


def test_what_comes_before_the_greeting_is_no_crash() -> None:
    early = heard(ANNS, conn=1)
    assert failures(checked(early, opened(at=1))) == []


# Sessions: what a run explains is not said twice


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ((started(), lost(thought(1)), thought(2), failed()), R.SEQ_CONTIGUOUS),
        ((started(), twice(thought(1)), thought(2), failed()), R.SEQ_CONTIGUOUS),
        ((swapped(started(), thought(1)), thought(2), failed()), R.SEQ_CONTIGUOUS),
        ((started(), twice(failed())), R.SEQ_CONTIGUOUS),
        ((lost(started()), thought(1), thought(2), failed()), R.STARTED_FIRST),
        ((lost(started()), thought(1), lost(thought(2)), thought(3), failed()), R.STARTED_FIRST),
    ],
)
@pytest.mark.parametrize("leaves", [True, False])
def test_a_run_explains_its_sessions_departure(said: tuple[Event, ...], rule: Rule, leaves: bool) -> None:
    state = checked(*session(run(*said), run(*whole(), name="r2", request="q2"), leaves=leaves))
    assert {rule for rule, _ in failures(state)} <= {rule, R.SEQ_CONTIGUOUS}
    assert failures(state)[0][0] is rule


def test_an_abandoned_runs_gap_explains_its_sessions_too() -> None:
    rows = session(run(started(), lost(thought(1)), thought(2)))
    assert failures(checked(*rows)) == [(R.SEQ_CONTIGUOUS, "gap: seq 2 never came")]


@pytest.mark.parametrize(
    ("offsets", "problems"),
    [
        ((1, 2, 4, 5, 6, 7, 8, 9, 10, 11), ["gap: offset 3 never came"]),
        ((2, 3, 4, 5, 6, 7, 8, 9, 10, 19), ["gap: offset 1, 11, 12, 13, 14 … never came"]),
        ((1, 2, 2, 3, 4, 5, 6, 7, 8, 9), ["repeat to offset 2"]),
        ((1, 3, 2), ["step back to offset 2"]),
    ],
)
def test_what_no_run_explains_breaks_offset_contiguous(offsets: tuple[int, ...], problems: list[str]) -> None:
    state = checked(*with_offsets(*offsets))
    assert failures(state) == [(R.OFFSET_CONTIGUOUS, problem) for problem in problems]
    assert verdicts(state)[R.OFFSET_CONTIGUOUS].exercised == 10


def test_other_numbered_messages_count_too_and_no_run_explains_them() -> None:
    numbered = [heard(Event(Kind.REPORT, run="r1", offset=offset)) for offset in (1, 3, 2)]
    state = checked(opened(), *numbered)
    assert failures(state) == [(R.OFFSET_CONTIGUOUS, "step back to offset 2")]


def test_a_jump_to_any_offset_costs_nothing() -> None:
    state = checked(*with_offsets(1, 2, 3, 4, 5, 6, 7, 8, 9, 2**63 - 1))
    assert failures(state) == [(R.OFFSET_CONTIGUOUS, "gap: offset 10, 11, 12, 13, 14 … never came")]


# Isolation


def test_another_users_event_is_judged_by_isolation_alone_and_opens_no_run() -> None:
    state = checked(*session(run(*whole())), *ben(ANNS))
    (finding,) = findings(state)
    assert (finding.rule, finding.user, finding.conn, finding.other, finding.run) == (
        *(R.ISOLATION_ENVELOPE, "ben", 2, "ann", "r1"),
    )


@pytest.mark.parametrize("offset", [1, 2, 3, 50])
def test_its_offset_disturbs_nothing(offset: int) -> None:
    event = replace(ANNS, offset=offset)
    state = checked(*session(run(*whole())), *ben(event))
    assert [rule for rule, _ in failures(state) if rule is not R.OFFSET_CONTIGUOUS] == [R.ISOLATION_ENVELOPE]
    assert len(failures(state)) == (2 if offset == 3 else 1)  # numbered as Ben's own, it took one of his


def test_another_users_start_of_a_run_opens_none() -> None:
    start = replace(run(started()).events[0].event, request="q2", run="r9")  # even where it names his request
    asked = Asked(2, 0, "q2", "t1", "guide", "c1", 0, SECOND)
    state = checked(opened("ben", 2), asked, heard(start, conn=2, at=0.1))
    assert failures(state) == [(R.COMPLETE, "never began"), (R.ISOLATION_ENVELOPE, "another user's message")]


def test_a_foreign_canary_names_its_user_once_all_is_known() -> None:
    leak = replace(accepted(conn=2), event=Event(Kind.OTHER), foreign=f"{canary('ann')} sgcanarynobodys")
    state = checked(opened("ben", 2)).merge(checked(opened("ben", 2), leak)).merge(checked(opened("ann", 1)))
    assert [(f.rule, f.user, f.other, f.token) for f in findings(state)] == [
        (R.ISOLATION_CANARY, "ben", "ann", canary("ann")),
        (R.ISOLATION_CANARY, "ben", "", "sgcanarynobodys"),
    ]


@pytest.mark.parametrize(
    ("length", "other"),
    [(11, "ann"), (10, ""), (8, ""), (0, "")],  # "sgcanaryann…", "sgcanaryan…": also Andy's
)
def test_a_canary_that_was_cut_names_its_user_where_it_can_be_no_others(length: int, other: str) -> None:
    leak = heard(Event(Kind.OTHER), conn=2, foreign=canary("ann")[:length] or "sgcanaryzoe")
    state = checked(opened(), opened("ben", 2), opened("andy", 3), leak)
    assert [finding.other for finding in findings(state)] == [other]


def test_another_users_words_under_ones_own_name_are_a_leak_and_no_stray() -> None:
    mixed_up = replace(ANNS, user="ben", offset=3)
    rows = ben()
    state = checked(*session(run(*whole())), *rows, heard(mixed_up, conn=2, at=0.025, foreign=canary("ann")))
    assert (R.ISOLATION_CANARY, "another user's canary") in failures(state)
    assert {rule for rule, _ in failures(state)} <= {R.ISOLATION_CANARY, R.OFFSET_CONTIGUOUS}


def test_another_users_run_under_ones_own_name_is_known_after_merging() -> None:
    stray = replace(ANNS, user="ben", offset=0)
    bens, anns = checked(*ben(stray)), checked(*session(run(*whole())))
    assert failures(bens) == [(R.PROTOCOL, "an event of a run that no socket asked for")]
    for state in (bens.merge(anns), anns.merge(bens)):
        assert failures(state) == [(R.ISOLATION_ENVELOPE, "an event of another user's run")]
        assert findings(state)[0].other == "ann"


def test_an_event_of_ones_own_run_on_another_socket_breaks_nothing_there() -> None:
    stray = replace(ANNS, offset=0)
    state = checked(*session(run(*whole())), opened("ann", 2), heard(stray, conn=2, at=0.1))
    assert failures(state) == []


def test_an_event_of_nobodys_run_breaks_protocol() -> None:
    stray = replace(ANNS, run="r9", offset=0)
    state = checked(opened(), heard(stray, at=1))
    assert failures(state) == [(R.PROTOCOL, "an event of a run that no socket asked for")]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_one_run_id_at_two_users_is_one_finding_wherever_it_was_seen(order: tuple[int, ...]) -> None:
    sessions: list[list[Observation]] = [
        session(run(*whole(), user="ann", conn=1)),
        session(run(*whole(), user="ben", conn=2)),
        session(run(*whole(), user="ann", conn=3)),
    ]
    apart = [checked(*sessions[place]) for place in order]
    together = checked(*(row for place in order for row in sessions[place]))
    left, right = apart[0].merge(apart[1]).merge(apart[2]), apart[0].merge(apart[1].merge(apart[2]))
    for state in (together, left, right):
        (finding,) = findings(state)
        assert (finding.rule, finding.problem) == (R.ISOLATION_ENVELOPE, "one run id at two users")
        assert (finding.run, finding.user, finding.other) == ("r1", "ann", "ben")


def test_a_run_accepted_twice_for_one_user_is_fine() -> None:
    state = checked(*session(run(*whole())), accepted(at=0.05))
    assert failures(state) == []


# After the end


def test_what_comes_long_after_the_end_breaks_terminal_last() -> None:
    late = replace(run(*whole()).events[4].event, seq=11, offset=11)
    rows = session(run(*whole()), leaves=False)
    (finding,) = findings(checked(*rows, heard(late, at=4)))
    assert (finding.rule, finding.problem) == (R.TERMINAL_LAST, "long after the run was settled")
    assert (finding.run, finding.at_ns) == ("r1", 4 * SECOND)


def test_its_offset_is_no_second_finding() -> None:
    missed = run(started(), lost(thought(1)), thought(2), thought(3), completed())
    late = replace(run(started(), thought(1)).events[1].event, seq=2, offset=2)
    assert failures(checked(*session(missed, leaves=False), heard(late, at=4))) == [
        (R.TERMINAL_LAST, "long after the run was settled"),
        (R.SEQ_CONTIGUOUS, "gap: seq 2 never came"),
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
    assert failures(checked(*rows, heard(late, at=11))) == [
        (R.COMPLETE, "never ended"),
        (R.NO_SILENCE, "silent for 11.0 s"),
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
    assert failures(checked(*rows, resumed(at=20.03))) == [
        (R.COMPLETE, "never ended"),
        (R.NO_SILENCE, "silent for 20.0 s"),
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
    assert failures(checked(*asked, accepted(at=30), begun)) == [
        (R.COMPLETE, "never began"),
        (R.NO_SILENCE, "silent for 30.0 s"),
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


def test_numbered_events_are_counted_by_what_became_of_them() -> None:
    settled = Settlements()
    assembler, checks = Assembler(LIMITS, settled), Checks(LIMITS, settled=settled)
    runs = (
        run(twice(started()), lost(thought(1)), failed()),
        run(swapped(started(), thought(1)), failed(), name="r2", request="q2"),
        run(end=End.DEADLINE, name="r3", request="q3"),
    )
    for row in session(*runs):
        take(row, assembler, checks)
    assert checks.counts() == {
        "events numbered": 6,
        "events lost": 1,
        "events repeated": 1,
        "events reordered": 1,
    }


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


def test_another_users_name_on_an_event_of_ones_own_run_is_isolation_and_no_gap() -> None:
    rows = session(run(*whole()))
    seen = rows[6]
    assert isinstance(seen, Received)
    rows[6] = replace(seen, event=replace(seen.event, user="ben"))
    assert {rule for rule, _ in failures(checked(*rows))} == {Rule.ISOLATION_ENVELOPE}


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


def test_a_run_does_not_tell_the_socket_of_another_users_canary_in_it() -> None:
    rows = session(run(*whole()))
    seen = rows[6]
    assert isinstance(seen, Received)
    rows[6] = replace(seen, foreign=canary("eve"))
    (leak,) = findings(checked(*rows, opened("eve", 2, at=1)))
    assert (leak.user, leak.other, leak.other_conn) == ("ann", "eve", 0)


def test_users_are_counted_by_their_canaries_and_their_runs() -> None:
    assert checked(*session(run(*whole())), opened("eve", 2)).users == 2


def test_a_leak_names_the_socket_it_came_from() -> None:
    own = session(run(*whole()))
    seen = own[5]
    assert isinstance(seen, Received)
    stolen = replace(seen, conn=2, event=replace(seen.event, user="ben"))
    state = checked(opened("ben", 2), *own, replace(stolen, at_ns=own[-1].at_ns))
    (leak,) = verdicts(state)[Rule.ISOLATION_ENVELOPE].findings
    assert (leak.user, leak.conn, leak.other, leak.other_conn) == ("ben", 2, "ann", 1)


def test_a_gap_in_the_offsets_shows_what_came_instead() -> None:
    state = checked(*with_offsets(1, 2, 5))
    gap = next(finding for finding in findings(state) if finding.problem.startswith("gap: offset"))
    assert [witness.offset for witness in gap.witnesses] == [5]


def test_what_is_counted_of_clean_runs_does_not_pile_up() -> None:
    checks = Checks(LIMITS)
    checks.add(opened())
    for number in range(1_000):  # not plain: each is judged by itself
        checks.settle(run(*whole(), name=f"r{number}", request=f"q{number}"))
    assert len(checks._clean) < 100
    assert checks.counts()["events numbered"] == 1_000 * len(whole())
    assert checks.finish(()).exercised[R.ECHO] == 1_000
