"""What the fold of the checks keeps, counts and shows."""

import pytest
from msgspec.structs import replace

from streamgauge.core.assembly import Assembler
from streamgauge.core.checks import fold
from streamgauge.core.checks.fold import Checks, Settled
from streamgauge.core.contract import EVERY_RULE, Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.finding import Struck
from streamgauge.core.observation import Closed, Malformed, Observation, Received
from streamgauge.core.ownership import Settlements
from tests.support.history import (
    LIMITS,
    SECOND,
    accepted,
    canary,
    failed,
    heard,
    lost,
    opened,
    run,
    session,
    started,
    swapped,
    thought,
    whole,
)
from tests.support.judged import checked, failures, findings, take, verdicts, with_offsets

R = Rule


def worth(*rows: Observation) -> list[Settled]:
    """What each run was worth, in the order in which they were settled."""
    settled = Settlements()
    assembler, checks = Assembler(LIMITS, settled), Checks(LIMITS, settled=settled)
    told = []
    for row in rows:
        told += [checks.settle(history) for history in assembler.settle_due(row.at_ns)]
        told += [checks.settle(history) for history in assembler.add(row)]
        checks.add(row)
    return told + [checks.settle(history) for history in assembler.finish(1000 * SECOND)]


def test_a_run_may_be_whole_and_not_clean() -> None:
    leak = heard(Event(Kind.OTHER, run="r1"), at=0.035, foreign=canary("eve"))
    rows = sorted([*session(run(*whole())), leak], key=lambda row: row.at_ns)
    assert worth(*rows) == [Settled(clean=False, whole=True)]
    assert worth(*session(run(*whole()))) == [Settled(clean=True, whole=True)]
    assert worth(*session(run(started(), lost(thought(1)), failed()))) == [Settled(clean=False, whole=False)]
    assert worth(*session(run(swapped(started(), thought(1)), failed()))) == [Settled(False, False)]
    assert worth(*session(run(started(), failed("cancelled")))) == [Settled(clean=False, whole=True)]


def test_what_belongs_to_no_request_is_held_against_none() -> None:
    refused = heard(Event(Kind.REFUSED, request="q1"), at=2)
    torn = Malformed(1, SECOND, 99, "no JSON")
    assert worth(opened(), run().asked, torn, refused) == [Settled(clean=True, whole=True)]


def test_what_was_held_against_a_request_is_not_held_against_the_next_of_its_name() -> None:
    runs = session(run(*whole()), run(*whole(), name="r2"))
    leak = heard(Event(Kind.ACK, request="q1"), at=0.035, foreign=canary("eve"))
    told = worth(*sorted([*runs, leak], key=lambda row: row.at_ns))
    assert [each.clean for each in told] == [False, True]


def test_a_missing_head_counts_as_an_application_of_its_rule() -> None:
    verdict = verdicts(checked(*session(run(lost(started()), thought(1), failed()))))[R.STARTED_FIRST]
    assert (verdict.exercised, verdict.found, verdict.unknown) == (1, 1, 1)


def test_an_offset_without_a_seq_is_explained_by_no_run() -> None:
    numbered = heard(Event(Kind.WORK, run="r1", offset=1), at=0.02)
    again = replace(numbered, at_ns=numbered.at_ns + 1)
    state = checked(opened(), run().asked, accepted(), numbered, again)
    assert (R.OFFSET_CONTIGUOUS, "repeat to offset 1") in failures(state)


def numbered(received: Received, offset: int, user: str = "ann") -> Received:
    return replace(received, event=replace(received.event, offset=offset, user=user))


def test_a_run_explains_its_offset_whatever_name_it_bears() -> None:
    told = run(started(), swapped(thought(1), thought(2)), failed())
    first, third, second, fourth = told.events
    report = heard(Event(Kind.REPORT, run="r1", offset=3), at=0.02)
    early, late = numbered(third, 4, "ben"), numbered(second, 2)
    state = checked(opened(), told.asked, accepted(), first, early, report, late, numbered(fourth, 5))
    assert failures(state) == [
        (R.SEQ_CONTIGUOUS, "step back to seq 2"),
        (R.OFFSET_CONTIGUOUS, "gap: offset 4 never came"),  # out of order it took no number
        (R.ISOLATION_ENVELOPE, "another user's message"),
    ]


def test_strange_runs_do_not_pile_up_and_ones_own_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold, "_MOST_STRANGE", 2)
    checks = Checks(LIMITS)
    checks.add(opened())
    for n in range(10):
        checks.add(heard(Event(Kind.WORK, user="ben", run=f"b{n}", seq=1, offset=50), at=n))
    track = checks.track(1)
    assert track is not None
    assert len(track.runs) == 3
    for place in range(2):
        checks.add(heard(Event(Kind.WORK, user="ann", run="r1", seq=1, offset=1), at=20 + place))
    assert R.OFFSET_CONTIGUOUS not in checks.state.found


def test_the_first_event_of_a_run_explains_no_offset_of_another_s() -> None:
    rows = session(run(*whole()), run(started(), failed(), name="r2", request="q2"))
    rows = [
        replace(row, event=replace(row.event, offset=row.event.offset - 8))
        if isinstance(row, Received) and row.event.run == "r2" and row.event.seq
        else row
        for row in rows
    ]
    assert failures(checked(*rows)) == [
        (R.OFFSET_CONTIGUOUS, "repeat to offset 3"),
        (R.OFFSET_CONTIGUOUS, "repeat to offset 4"),
    ]


@pytest.mark.parametrize(
    ("offsets", "problem", "shown"),
    [
        ((1, 2, 3, 9), "gap: offset 4, 5, 6, 7, 8 never came", [9]),
        ((1, 2, 3, 10), "gap: offset 4, 5, 6, 7, 8 … never came", [10]),
        (tuple(range(2, 22, 2)), "gap: offset 1, 3, 5, 7, 9 … never came", [2, 4, 6, 8, 10, 12]),
    ],
)
def test_of_gaps_the_first_six_are_shown(offsets: tuple[int, ...], problem: str, shown: list[int]) -> None:
    rest = tuple(range(offsets[-1] + 1, offsets[-1] + 11 - len(offsets)))
    (finding,) = findings(checked(*with_offsets(*offsets, *rest)))
    assert finding.problem == problem
    assert [witness.offset for witness in finding.witnesses] == shown
    assert all(witness.guilty for witness in finding.witnesses)


def test_what_a_run_explains_is_no_witness_of_what_none_does() -> None:
    rows = session(run(started(), lost(thought(1)), thought(2), failed()), leaves=False)
    after = heard(Event(Kind.REPORT, run="r1", offset=6), at=1)
    gap = findings(checked(*rows, after))[-1]
    assert [witness.offset for witness in gap.witnesses] == [6]


def test_before_a_greeting_nobody_s_messages_are_greeted() -> None:
    checks = Checks(replace(LIMITS, greets=True))
    for row in (heard(Event(Kind.HEARTBEAT)), heard(Event(Kind.GREETING))):
        checks.add(row)
    assert failures(checks.finish(())) == []


def test_what_is_not_promised_leaks_nothing() -> None:
    leak = heard(Event(Kind.OTHER), foreign=canary("eve"))
    for promises, counted in (
        (EVERY_RULE, {"ann": {canary("eve"): 1}}),
        (EVERY_RULE - {R.ISOLATION_CANARY}, {}),
    ):
        checks = Checks(LIMITS, promises)
        for row in (opened(), leak):
            checks.add(row)
        assert checks.finish(()).leaks.by_canary == counted


def test_a_request_that_is_no_run_yet_counts_as_struck_like_one() -> None:
    leak = heard(Event(Kind.ACK, request="q1"), foreign=canary("eve"))
    assert verdicts(checked(opened(), leak))[R.ISOLATION_CANARY].struck == Struck(1, 1, 1)
    back = checked(*with_offsets(1, 3, 2))
    assert verdicts(back)[R.OFFSET_CONTIGUOUS].struck == Struck(1, 1, 1)
    gap = checked(*with_offsets(1, 2, 4, 5, 6, 7, 8, 9, 10, 11))
    assert verdicts(gap)[R.OFFSET_CONTIGUOUS].struck == Struck(0, 0, 1)


def test_a_run_is_struck_once_by_its_messages_and_by_its_judgement() -> None:
    limits, settled = replace(LIMITS, accepts=True), Settlements()
    assembler, checks = Assembler(limits, settled), Checks(limits, settled=settled)
    told = run(*whole())
    told.events[3] = replace(told.events[3], event=replace(told.events[3].event, breach="odd"))
    rows: list[Observation] = [opened(), told.asked, *told.events]
    for row in rows:
        take(row, assembler, checks)
    for history in assembler.finish(60 * SECOND):
        checks.settle(history)
    verdict = verdicts(checks.finish(()))[R.PROTOCOL]
    assert (verdict.found, verdict.struck.runs) == (2, 1)


def test_a_request_that_comes_again_is_struck_anew() -> None:
    rows: list[Observation] = [opened()]
    for at in (0, 1, 2):
        rows.append(replace(run().asked, at_ns=at * SECOND))
        rows.append(heard(Event(Kind.REFUSED, request="q1"), at=at + 0.5, foreign=canary("eve")))
    assert verdicts(checked(*rows))[R.ISOLATION_CANARY].struck == Struck(3, 3, 1)


def test_who_is_connected_at_the_end_was_not_cut_off() -> None:
    under_way = session(run(started(), deadline=2_000), leaves=False)
    assert checked(*under_way).losses.cut == 0
    assert checked(*under_way, Closed(1, SECOND, 1006, ours=False)).losses.cut == 1
