import pytest
from msgspec.structs import replace

from streamgauge.core.checks.state import CheckState
from streamgauge.core.checks.verdicts import Cell, conclude, leaks, placed_leaks
from streamgauge.core.contract import EVERY_RULE, Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.finding import Struck, Verdict
from streamgauge.core.observation import Observation
from tests.support.analysed import analysed, merged
from tests.support.history import LIMITS, canary, heard, run, session, twice, whole

ANNS = session(run(*whole()))
BENS = session(run(*whole(), user="ben", conn=2, name="r2", request="q2"))
NOBODYS = Event(Kind.THINKING, run="r1", seq=3)  # of Ann's run, and it does not say so


def state(*processes: list[Observation]) -> CheckState:
    return merged([analysed(sorted(rows, key=lambda row: row.at_ns), LIMITS) for rows in processes]).checks


def envelope(known: CheckState) -> Verdict:
    return next(v for v in conclude(known, ()) if v.rule is Rule.ISOLATION_ENVELOPE)


def exercised(*processes: list[Observation]) -> int:
    return envelope(state(*processes)).exercised


def test_findings_are_named_by_rule_and_place() -> None:
    said = [run(*whole()), run(twice(whole()[0]), *whole()[1:], name="r3", request="q3")]
    known = conclude(state(session(*said, said[1])), ())
    assert [found.id for verdict in known for found in verdict.findings] == [
        "seq-contiguous-1",
        "seq-contiguous-2",
    ]


@pytest.mark.parametrize("apart", [True, False])
def test_the_matrix_is_the_same_wherever_sender_and_receiver_were(apart: bool) -> None:
    bens = [*BENS, heard(Event(Kind.OTHER, user="ben"), 2, 0.02, foreign=canary("ann"))]
    bens += [heard(Event(Kind.THINKING, user="ann", run="r1", seq=3), 2, 0.03)] * 2
    processes = (ANNS, bens) if apart else ([*ANNS, *bens],)
    assert leaks(state(*processes)) == [Cell("ann", "ben", 3)]


def test_a_stray_is_a_leak_from_who_asked_for_its_run() -> None:
    bens = [*BENS, *[heard(NOBODYS, 2, at) for at in (0.02, 0.03)]]
    known = state(ANNS, bens)
    assert leaks(known) == [Cell("ann", "ben", 2)]
    verdict = envelope(known)
    assert (verdict.struck, verdict.exercised) == (Struck(2, 1, 1), 2 + exercised(ANNS, BENS))


def test_a_leak_that_only_a_runs_name_shows_is_the_first_event_that_its_rule_is_applied_to() -> None:
    nameless = [session(run(user=user, conn=conn)) for user, conn in (("ann", 1), ("ben", 2))]
    assert exercised(nameless[0]) == 0
    assert exercised(*nameless) == 1


def test_a_run_that_leaked_to_users_of_two_processes_is_one_run() -> None:
    cys = session(run(*whole(), user="cy", conn=3, name="r3", request="q3"))
    named = Event(Kind.THINKING, user="ann", run="r1", seq=3)
    for event in (named, NOBODYS):  # what only merging tells, too
        known = state(ANNS, [*BENS, heard(event, 2, 0.02)], [*cys, heard(event, 3, 0.02)])
        assert envelope(known).struck == Struck(2, 1, 2)
        assert placed_leaks(known).messages == 2
    both = state(ANNS, [*BENS, heard(named, 2, 0.02)], [*cys, heard(NOBODYS, 3, 0.02)])
    assert envelope(both).struck == Struck(2, 1, 2)


def test_a_run_that_is_nobodys_is_none_of_those_that_were_asked_for() -> None:
    nobodys = [heard(Event(Kind.OTHER, user="zoe", run=name), 2, 0.02) for name in ("r7", "r8", "r8", "")]
    known = state(ANNS, [*BENS, *nobodys, heard(Event(Kind.OTHER, user="ann", run="r1"), 2, 0.03)])
    assert envelope(known).struck == Struck(5, 1, 1, more_runs=3)


def test_to_conclude_twice_is_to_conclude_the_same() -> None:
    known = state(ANNS, [*BENS, heard(NOBODYS, 2, 0.02)], session(run(*whole(), user="cy", conn=3)))
    assert conclude(known, ()) == conclude(known, ())


def test_a_connection_that_was_counted_counts_once_for_its_strays_too() -> None:
    named = heard(Event(Kind.THINKING, user="ann", run="r1", seq=4), 2, 0.02)
    known = state(ANNS, [*BENS, named, heard(NOBODYS, 2, 0.03)])
    verdict = next(v for v in conclude(known, ()) if v.rule is Rule.ISOLATION_ENVELOPE)
    assert (verdict.struck.messages, verdict.struck.connections) == (2, 1)


def test_who_owns_no_known_canary_is_nobody_known() -> None:
    bens = [*BENS, heard(Event(Kind.OTHER, user="ben"), 2, 0.02, foreign=canary("zoe"))]
    assert leaks(state(bens)) == [Cell("", "ben", 1)]


def test_what_leaked_most_comes_first() -> None:
    few = heard(Event(Kind.OTHER, user="dee"), 2, 0.02)
    many = heard(Event(Kind.OTHER, user="cy"), 1, 0.02)
    assert leaks(state([*ANNS, *BENS, few, many, many])) == [Cell("cy", "ann", 2), Cell("dee", "ben", 1)]


def test_what_is_not_promised_is_no_leak() -> None:
    leak = heard(Event(Kind.OTHER, user="ben"), 1, 0.02)
    rows = sorted([*ANNS, leak], key=lambda row: row.at_ns)
    promises = EVERY_RULE - {Rule.ISOLATION_ENVELOPE}
    assert leaks(analysed(rows, LIMITS, promises).checks, promises) == []


def test_a_run_of_two_users_is_one_leak_between_their_sockets() -> None:
    bens = session(run(*whole(), user="ben", conn=2))
    known = state(ANNS, bens)
    verdict = next(v for v in conclude(known, ()) if v.rule is Rule.ISOLATION_ENVELOPE)
    (shared,) = verdict.findings
    assert (shared.problem, shared.user, shared.other) == ("one run id at two users", "ann", "ben")
    assert (shared.conn, shared.other_conn, shared.at_ns, verdict.found) == (1, 2, 0, 1)
    assert verdict.struck == Struck(1, 1, 1)
    assert leaks(known) == [Cell("ann", "ben", 1)]


def test_strays_of_several_runs_are_of_one_connection() -> None:
    late = [replace(NOBODYS, run=name) for name in ("r8", "r9")]
    known = state([*ANNS, *(heard(event, 1, 0.02) for event in late)])
    verdict = next(v for v in conclude(known, ()) if v.rule is Rule.PROTOCOL)
    assert verdict.struck == Struck(2, 2, 1)


def test_where_names_tell_nobody_each_strange_run_is_one_that_was_not_asked_for_here() -> None:
    mine = session(run(*whole()), run(*whole(), name="r3", request="q3"))
    bens = [*BENS, heard(NOBODYS, 2, 0.02), heard(replace(NOBODYS, run="r3"), 2, 0.03)]
    promises = EVERY_RULE - {Rule.ISOLATION_ENVELOPE}
    verdict = next(v for v in conclude(state(mine, bens), (), promises) if v.rule is Rule.PROTOCOL)
    assert [(f.problem, f.run) for f in verdict.findings] == [
        ("an event of a run that was not asked for here", name) for name in ("r1", "r3")
    ]
