"""What a leak shows of the other user's socket: Ben received at 10 s what is Ann's."""

import pytest
from msgspec.structs import replace

from streamgauge.core.checks.evidence import of_row
from streamgauge.core.checks.sides import Rows, with_sides
from streamgauge.core.contract import Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.finding import Finding
from streamgauge.core.observation import Malformed, Observation, Received
from tests.support.history import SECOND, accepted, heard, opened

CANARY = of_row(
    Rule.ISOLATION_CANARY,
    "another user's canary",
    "ben",
    heard(Event(Kind.OTHER, user="ben"), 2, at=10),
    other="ann",
)
SHARED = Finding(
    Rule.ISOLATION_ENVELOPE,
    "one run id at two users",
    "ben",
    conn=2,
    at_ns=0,
    run="r1",
    other="ann",
    other_conn=1,
)


def leaked(seq: int) -> Finding:
    """This event of Ann's run r1."""
    row = heard(Event(Kind.THINKING, user="ann", run="r1", seq=seq), 2, at=10)
    return of_row(Rule.ISOLATION_ENVELOPE, "another user's message", "ben", row, other="ann")


def anns(seq: int, at: float, run: str = "r1") -> Received:
    return heard(Event(Kind.THINKING, user="ann", run=run, seq=seq), at=at)


def theirs(leak: Finding, *rows: Observation) -> list[tuple[str, int]]:
    """The runs and numbers of the events on Ann's socket that are shown."""
    (shown,) = with_sides([leak], [Rows([opened(), *rows])])
    assert (shown.other_conn, shown.theirs_run) == ((1, shown.theirs[0].run) if shown.theirs else (0, ""))
    return [(witness.run, witness.seq) for witness in shown.theirs]


# Where the message is of a run of Ann's


def test_its_run_is_shown_however_long_ago_it_was() -> None:
    leak = replace(leaked(5), at_ns=3_600 * SECOND)
    assert theirs(leak, *(anns(seq, at=seq) for seq in range(1, 10))) == [
        *(("r1", 3), ("r1", 4), ("r1", 5), ("r1", 6), ("r1", 7))
    ]


def test_of_a_run_that_lacks_its_neighbours_the_nearest_four_are_shown() -> None:
    said = [anns(seq, at=seq) for seq in range(1, 10)]
    assert theirs(leaked(20), *said) == [("r1", 6), ("r1", 7), ("r1", 8), ("r1", 9)]


def test_where_no_message_of_a_run_is_the_leak_its_beginning_is_shown() -> None:
    said = [anns(seq, at=seq) for seq in range(1, 10)]
    assert theirs(replace(leaked(9), witnesses=()), *said) == [("r1", 1), ("r1", 2)]


def test_of_a_run_that_two_users_have_the_beginning_is_shown() -> None:
    assert theirs(SHARED, *(anns(seq, at=seq) for seq in range(1, 10))) == [("r1", 1), ("r1", 2)]


def beginnings(*rows: Observation) -> tuple[list[tuple[str, int, bool]], list[tuple[str, int]]]:
    """What is shown of a run that is two users', on Ben's socket and on Ann's."""
    (shown,) = with_sides([SHARED], [Rows([opened(), opened("ben", 2), opened("ben", 4), *rows])])
    assert shown.at_ns == (shown.witnesses[0].at_ns if shown.witnesses else 0)
    return (
        [(witness.kind, witness.seq, witness.guilty) for witness in shown.witnesses],
        [(witness.kind, witness.seq) for witness in shown.theirs],
    )


def bens(seq: int, at: float, conn: int = 2, run: str = "r1") -> Received:
    return heard(Event(Kind.THINKING, user="ben", run=run, seq=seq), conn, at)


def test_a_run_of_two_users_is_shown_as_it_began_at_either() -> None:
    rows = [accepted(conn=2, at=1), bens(9, 1, conn=4), bens(9, 1, run="r9")]
    rows += [
        accepted(at=1),
        *(bens(seq, 1 + seq) for seq in (1, 2, 3)),
        *(anns(seq, seq) for seq in (1, 2, 3)),
    ]
    assert beginnings(*rows) == (
        [("thinking", 1, True), ("thinking", 2, False)],
        [("thinking", 1), ("thinking", 2)],
    )


def test_where_no_event_came_of_it_its_acceptance_is_shown() -> None:
    assert beginnings(accepted(conn=2, at=1), accepted(at=2)) == ([("accepted", 0, True)], [("accepted", 0)])


def test_what_the_rows_do_not_hold_of_it_is_not_shown() -> None:
    assert beginnings() == ([], [])
    assert beginnings(anns(1, at=1)) == ([], [("thinking", 1)])
    assert beginnings(bens(1, at=1)) == ([("thinking", 1, True)], [])


# Where it is of none: what Ann received at that time


def test_a_message_of_the_very_same_time_is_shown_once() -> None:
    said = [anns(seq, at=seq) for seq in range(7, 14)]
    assert theirs(CANARY, *said) == [("r1", 9), ("r1", 10), ("r1", 11), ("r1", 12)]


def test_of_several_runs_that_one_is_shown_whose_event_is_closest() -> None:
    said = [anns(4, 9, "r2"), anns(1, 9.9, "r1"), anns(5, 10.2, "r2"), anns(6, 10.4, "r2")]
    assert theirs(CANARY, *said) == [("r1", 1)]


def test_what_was_around_one_leak_was_not_around_another() -> None:
    late = replace(CANARY, at_ns=30 * SECOND)
    shown = with_sides([CANARY, late], [Rows([opened(), anns(3, at=26)])])
    assert [[witness.seq for witness in leak.theirs] for leak in shown] == [[], [3]]


@pytest.mark.parametrize(
    "strange",
    [
        Malformed(1, 10 * SECOND, 12, "no JSON"),
        heard(Event(Kind.HEARTBEAT), at=10),
        heard(Event(Kind.HEARTBEAT, user="ann"), at=10),
        heard(Event(Kind.THINKING, user="ben", run="r9", seq=1), at=10),
    ],
    ids=["malformed", "of no user", "of no run", "of another user"],
)
def test_what_is_no_event_of_ones_own_run_is_not_shown(strange: Observation) -> None:
    assert theirs(CANARY, anns(3, at=9), strange, anns(4, at=11)) == [("r1", 3), ("r1", 4)]


@pytest.mark.parametrize(
    "said", [Event(Kind.THINKING, run="r1", seq=3), Event(Kind.FAILED, "ann", "r1", seq=3)]
)
def test_an_event_that_names_nobody_is_ones_own_and_so_is_an_error(said: Event) -> None:
    assert theirs(CANARY, heard(said, at=9)) == [("r1", 3)]


def test_an_event_is_found_behind_those_of_users_that_nothing_is_to_be_shown_of() -> None:
    zoes = heard(Event(Kind.THINKING, user="zoe", run="r7", seq=1), 7, at=9)
    assert theirs(CANARY, opened("zoe", 7), zoes, anns(3, at=9)) == [("r1", 3)]


@pytest.mark.parametrize("behind", [-1_000, 4, 5])
def test_that_time_is_told_by_the_clock_of_the_finding(behind: int) -> None:
    said = [anns(seq, at=seq - behind) for seq in range(1, 20)]
    (shown,) = with_sides([CANARY], [Rows([opened(), *said], behind * SECOND)])
    assert [(witness.seq, witness.at_ns // SECOND) for witness in shown.theirs] == [
        *((9, 9), (10, 10), (11, 11), (12, 12))
    ]


def test_what_an_attack_was_answered_is_of_no_stream_and_has_one_side() -> None:
    attack = replace(CANARY, rule=Rule.ISOLATION_ACTIVE)
    assert theirs(attack, anns(3, at=10)) == []
