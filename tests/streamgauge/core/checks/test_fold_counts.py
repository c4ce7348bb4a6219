"""What the fold of the checks keeps and counts."""

from msgspec.structs import replace

from streamgauge.core.assembly import Assembler
from streamgauge.core.checks.fold import Checks, Settled
from streamgauge.core.contract import EVERY_RULE, Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.finding import Struck
from streamgauge.core.history import End
from streamgauge.core.observation import Closed, Malformed, Observation
from streamgauge.core.ownership import Settlements
from tests.support.history import (
    LIMITS,
    SECOND,
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
    twice,
    whole,
)
from tests.support.judged import checked, failures, take, verdicts, with_offsets

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


def test_what_is_counted_of_clean_runs_does_not_pile_up() -> None:
    checks = Checks(LIMITS)
    checks.add(opened())
    for number in range(1_000):  # not plain: each is judged by itself
        checks.settle(run(*whole(), name=f"r{number}", request=f"q{number}"))
    assert len(checks._clean) < 100
    assert checks.counts()["events numbered"] == 1_000 * len(whole())
    assert checks.finish(()).exercised[R.ECHO] == 1_000


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


def test_a_message_that_names_its_user_leaks_by_its_canary_where_names_tell_nobody() -> None:
    leak = heard(Event(Kind.OTHER, user="eve"), foreign=canary("eve"))
    for promises, messages in ((EVERY_RULE, 1), (EVERY_RULE - {R.ISOLATION_ENVELOPE}, 1)):
        checks = Checks(LIMITS, promises)
        for row in (opened(), leak):
            checks.add(row)
        assert checks.finish(()).leaks.messages == messages


def test_what_leaks_before_anybody_has_connected_is_a_leak() -> None:
    checks = Checks(LIMITS)
    checks.add(heard(Event(Kind.OTHER, user="eve"), foreign=canary("eve")))
    assert checks.finish(()).leaks.messages == 1


def test_a_request_that_is_no_run_yet_counts_as_struck_like_one() -> None:
    odd = heard(Event(Kind.ACK, request="q1", breach="odd"))
    assert verdicts(checked(opened(), odd))[R.PROTOCOL].struck == Struck(1, 1, 1)
    leak = heard(Event(Kind.ACK, request="q1"), foreign=canary("eve"))  # of whose request?
    assert verdicts(checked(opened(), leak))[R.ISOLATION_CANARY].struck == Struck(1, 0, 1, more_runs=1)
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
        rows.append(heard(Event(Kind.REFUSED, request="q1", breach="odd"), at=at + 0.5))
    assert verdicts(checked(*rows))[R.PROTOCOL].struck == Struck(3, 3, 1)


def test_who_is_connected_at_the_end_was_not_cut_off() -> None:
    under_way = session(run(started(), deadline=2_000), leaves=False)
    assert checked(*under_way).losses.cut == 0
    assert checked(*under_way, Closed(1, SECOND, 1006, ours=False)).losses.cut == 1
