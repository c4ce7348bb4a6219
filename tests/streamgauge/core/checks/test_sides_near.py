"""Which messages of its own socket stand around a finding."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from streamgauge.core.checks.evidence import of_row
from streamgauge.core.checks.sides import Rows, with_sides
from streamgauge.core.contract import Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.finding import Finding
from streamgauge.core.observation import Malformed, Received
from tests.support.history import SECOND, heard, opened

Message = Received | Malformed


def beat(at_ns: int, conn: int = 1) -> Received:
    return replace(heard(Event(Kind.HEARTBEAT), conn), at_ns=at_ns)


def broken(at_ns: int, conn: int = 1) -> Malformed:
    return Malformed(conn, at_ns, 12, "no JSON")


def fault(row: Malformed) -> Finding:
    return of_row(Rule.PROTOCOL, row.why, "ann", row)


def times_around(finding: Finding, *rows: Message) -> list[int]:
    (shown,) = with_sides([finding], [Rows([opened(), *rows])])
    return [witness.at_ns for witness in shown.witnesses]


@pytest.mark.parametrize("message", [beat, broken])
@pytest.mark.parametrize(("apart_ns", "is_shown"), [(5 * SECOND, True), (5 * SECOND + 1, False)])
def test_a_message_is_around_a_finding_up_to_five_seconds_away(
    message: Callable[[int], Message], apart_ns: int, *, is_shown: bool
) -> None:
    at_ns = 10 * SECOND
    guilty, before, after = broken(at_ns), message(at_ns - apart_ns), message(at_ns + apart_ns)
    expected = [before.at_ns, at_ns, after.at_ns] if is_shown else [at_ns]
    assert times_around(fault(guilty), before, guilty, after) == expected


def test_each_of_a_users_findings_has_what_is_around_it() -> None:
    rows: list[Message] = [
        *(beat(6 * SECOND, 1), broken(10 * SECOND, 1), beat(14 * SECOND, 1), beat(20 * SECOND, 1)),
        *(beat(20 * SECOND, 2), beat(26 * SECOND, 2), broken(30 * SECOND, 2), beat(34 * SECOND, 2)),
    ]
    findings = [fault(row) for row in reversed(rows) if isinstance(row, Malformed)]
    late, early = with_sides(findings, [Rows([opened(), opened(conn=2), *rows])])
    assert [witness.at_ns // SECOND for witness in early.witnesses] == [6, 10, 14]
    assert [witness.at_ns // SECOND for witness in late.witnesses] == [26, 30, 34]


def test_what_is_around_one_finding_of_a_socket_is_not_around_another() -> None:
    rows: list[Message] = [broken(10 * SECOND), beat(26 * SECOND), broken(30 * SECOND)]
    findings = [fault(row) for row in rows if isinstance(row, Malformed)]
    early, late = with_sides(findings, [Rows([opened(), *rows])])
    assert [witness.at_ns // SECOND for witness in early.witnesses] == [10]
    assert [witness.at_ns // SECOND for witness in late.witnesses] == [26, 30]


def test_around_the_message_of_a_run_is_its_run_and_what_is_near() -> None:
    said = [(10, "r1"), (20, "r1"), (26, "r2"), (27, "r2"), (30, "r2")]
    rows = [heard(Event(Kind.THINKING, run=name, seq=1), at=at) for at, name in said]
    early, late = (of_row(Rule.PROTOCOL, "odd", "ann", row) for row in (rows[0], rows[-1]))
    early, late = with_sides([early, late], [Rows([opened(), *rows])])
    assert [witness.at_ns // SECOND for witness in early.witnesses] == [10, 20]
    assert [witness.at_ns // SECOND for witness in late.witnesses] == [26, 27, 30]


@pytest.mark.parametrize(("place", "around"), [(0, [1, 2, 3]), (1, [1, 2, 3, 4]), (3, [2, 3, 4])])
def test_near_the_ends_of_a_socket_less_is_around(place: int, around: list[int]) -> None:
    rows = [broken(at_ns) for at_ns in (1, 2, 3, 4)]
    assert times_around(fault(rows[place]), *rows) == around


def test_what_another_socket_saw_is_not_around() -> None:
    guilty, elsewhere = broken(2), beat(1, conn=9)
    (shown,) = with_sides([fault(guilty)], [Rows([opened(conn=9), opened(), elsewhere, guilty, beat(3)])])
    assert [witness.at_ns for witness in shown.witnesses] == [2, 3]
