from random import Random

import pytest
from msgspec.structs import replace

from streamgauge.core.checks.sides import Rows, with_sides
from streamgauge.core.checks.verdicts import conclude
from streamgauge.core.contract import Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.finding import Finding, Witness
from streamgauge.core.observation import Malformed, Observation, Overheard
from tests.support.analysed import analysed, merged
from tests.support.history import LIMITS, SECOND, canary, heard, lost, run, session, whole
from tests.support.stretches import stretched

BENS = session(run(*whole(), user="ben", conn=2, name="r2", request="q2"))
FIFTH = replace(run(*whole()).events[4].event, offset=99)  # of Ann's run r1


def anns(*, lacks: bool) -> list[Observation]:
    """Ann's run, with or without its fifth event."""
    said = whole()
    return session(run(*said[:4], lost(said[4]) if lacks else said[4], *said[5:]))


def found(rule: Rule, *processes: list[Observation]) -> Finding:
    """The first finding of a rule, with all that the recordings show of it."""
    ordered = [sorted(rows, key=lambda row: row.at_ns) for rows in processes]
    state = merged([analysed(rows, LIMITS) for rows in ordered]).checks
    (first, *_) = next(v.findings for v in conclude(state, ()) if v.rule is rule)
    (shown,) = with_sides([first], [Rows(rows) for rows in ordered])
    return shown


def places(witnesses: tuple[Witness, ...]) -> list[tuple[str, int, bool]]:
    return [(witness.run, witness.seq, witness.guilty) for witness in witnesses]


def test_a_leak_stands_among_what_its_receiver_saw() -> None:
    leak = found(Rule.ISOLATION_ENVELOPE, anns(lacks=True), [*BENS, heard(FIFTH, 2, 0.045)])
    assert places(leak.witnesses) == [
        ("r2", 3, False),
        ("r2", 4, False),
        ("r1", 5, True),
        ("r2", 5, False),
        ("r2", 6, False),
    ]


@pytest.mark.parametrize(("lacks", "around"), [(True, [3, 4, 6, 7]), (False, [3, 4, 5, 6, 7])])
def test_and_at_its_place_in_its_owners_run(lacks: bool, around: list[int]) -> None:
    leak = found(Rule.ISOLATION_ENVELOPE, anns(lacks=lacks), [*BENS, heard(FIFTH, 2, 0.045)])
    assert [witness.seq for witness in leak.theirs] == around
    assert (leak.other, leak.other_conn, leak.theirs_run) == ("ann", 1, "r1")


def test_it_does_not_matter_which_process_saw_which_side() -> None:
    mine, theirs = anns(lacks=True), [*BENS, heard(FIFTH, 2, 0.045)]
    apart = found(Rule.ISOLATION_ENVELOPE, mine, theirs)
    assert found(Rule.ISOLATION_ENVELOPE, [*mine, *theirs]) == apart


def test_a_canary_in_ones_own_run_shows_what_its_owner_saw_at_that_time() -> None:
    own = heard(Event(Kind.OTHER, user="ben"), 2, 0.045, foreign=canary("ann"))
    leak = found(Rule.ISOLATION_CANARY, anns(lacks=False), [*BENS, own])
    assert [witness.seq for witness in leak.theirs] == [3, 4, 5, 6]
    assert (leak.other, leak.other_conn, leak.theirs_run) == ("ann", 1, "r1")


def test_stretches_show_what_their_rows_would() -> None:
    rows = sorted([*anns(lacks=True), *BENS, heard(FIFTH, 2, 0.045)], key=lambda row: row.at_ns)
    state = analysed(rows, LIMITS).checks
    (leak,) = next(v.findings for v in conclude(state, ()) if v.rule is Rule.ISOLATION_ENVELOPE)
    assert with_sides([leak], [Rows(stretched(rows, Random(1)))]) == with_sides([leak], [Rows(rows)])


def test_a_malformed_message_stands_among_its_neighbours() -> None:
    broken = Malformed(2, SECOND * 45 // 1000, 12, "no JSON")
    shown = found(Rule.PROTOCOL, [*BENS, broken])
    assert [witness.kind for witness in shown.witnesses] == [
        "thinking",
        "tool_executing",
        "malformed",
        "thinking",
        "tool_completed",
    ]


def test_a_leak_in_a_ping_stands_among_its_neighbours_and_shows_the_other_side() -> None:
    ping = Overheard(2, SECOND * 45 // 1000, 28, "ping", canary("ann"))
    shown = found(Rule.ISOLATION_CANARY, [*anns(lacks=False), *BENS, ping])
    assert [witness.kind for witness in shown.witnesses] == [
        *("thinking", "tool_executing"),
        *("ping", "thinking", "tool_completed"),
    ]
    assert (shown.other, shown.other_conn, shown.theirs_run) == ("ann", 1, "r1")


def test_what_no_recording_holds_stays_as_it_is() -> None:
    alone = Finding(Rule.ISOLATION_CANARY, "leak", "ann", 1, 5, other="ben", witnesses=(Witness(5, "other"),))
    assert with_sides([alone], []) == [alone]
    assert with_sides([alone], [Rows(session(run(*whole(), user="zoe", conn=7)))]) == [alone]


def test_another_machines_clock_is_brought_to_the_findings() -> None:
    ahead = 1_000 * SECOND
    mine, theirs = anns(lacks=True), sorted([*BENS, heard(FIFTH, 2, 0.045)], key=lambda row: row.at_ns)
    state = merged([analysed(mine, LIMITS), analysed(theirs, LIMITS)]).checks
    (leak,) = next(v.findings for v in conclude(state, ()) if v.rule is Rule.ISOLATION_ENVELOPE)
    later = [replace(row, at_ns=row.at_ns + ahead) for row in mine]
    (shown,) = with_sides([leak], [Rows(theirs), Rows(later, -ahead)])
    assert shown == with_sides([leak], [Rows(theirs), Rows(mine)])[0]
