"""Of a socket's rows runs are made, and every request is settled once."""

import pytest
from msgspec.structs import replace

from streamgauge.core.event import Event, Kind
from streamgauge.core.history import End, History, terminal
from streamgauge.core.observation import Cancelled, Observation, Spoken, Unsent
from tests.support.history import (
    SECOND,
    accepted,
    completed,
    failed,
    heard,
    opened,
    run,
    session,
    started,
    thought,
    whole,
)
from tests.support.settling import FOREVER, Timely, asked, closed, event, settled


def test_a_run_is_settled_by_its_end_and_the_grace_time_after_it() -> None:
    assembler = Timely()
    rows = session(run(*whole()), leaves=False)
    ended_ns = rows[-1].at_ns
    assert [assembler.add(row) for row in rows] == [[]] * len(rows)
    assert assembler.add(Unsent(1, ended_ns + SECOND - 1, ended_ns, "why")) == []
    (history,) = assembler.add(Unsent(1, ended_ns + SECOND, ended_ns, "why"))
    assert (history.end, history.ended_ns, history.user) == (End.TERMINAL, ended_ns, "ann")
    assert history.events == rows[3:]
    assert (history.run, history.thread, history.accepted) == ("r1", "t1", rows[2])
    assert assembler.finish(FOREVER) == []


def test_what_comes_within_the_grace_time_belongs_to_the_run() -> None:
    rows = session(run(*whole()), leaves=False)
    second = replace(event(9), seq=11)
    assert settled(*rows, heard(second, at=1.05)) == [("r1", End.TERMINAL, 11)]


def test_the_grace_time_outlasts_the_deadline() -> None:
    rows: list[Observation] = [
        opened(),
        asked(),
        accepted(),
        heard(event(9), at=59.5),
        heard(event(9), at=60.4),
    ]
    assert settled(*rows) == [("r1", End.TERMINAL, 2)]


def test_the_grace_time_counts_from_the_first_end() -> None:
    assembler = Timely()
    for row in (opened(), asked(), accepted(), heard(event(9), at=1), heard(event(9), at=1.9)):
        assert assembler.add(row) == []
    (history,) = assembler.add(heard(event(9), at=2))
    assert (history.ended_ns, len(history.events)) == (SECOND, 2)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], ("q1", End.DEADLINE, 0)),
        ([accepted()], ("r1", End.DEADLINE, 0)),
        ([accepted(), heard(event(0), at=1)], ("r1", End.DEADLINE, 1)),
        ([accepted(), heard(event(9), at=59.9)], ("r1", End.TERMINAL, 1)),  # in time; grace goes beyond
        ([heard(Event(Kind.REFUSED, request="q1", status="busy"), at=1)], ("q1", End.REFUSED, 0)),
        ([closed(at=1)], ("q1", End.ABANDONED, 0)),
        ([accepted(), heard(event(0)), closed(at=1)], ("r1", End.ABANDONED, 1)),
        (
            [accepted(), heard(event(9), at=0.4), closed(at=0.5)],
            ("r1", End.TERMINAL, 1),
        ),  # within its grace time
        (
            [accepted(), heard(event(0)), closed(at=60)],
            ("r1", End.DEADLINE, 1),
        ),  # left too late to be excused
    ],
)
def test_every_request_is_settled_once(rows: list[Observation], expected: tuple[str, End, int]) -> None:
    assert settled(opened(), asked(), *rows) == [expected]


def test_at_the_end_of_the_rows_what_is_open_is_abandoned() -> None:
    assert settled(opened(), asked(), accepted(), until=59 * SECOND) == [("r1", End.ABANDONED, 0)]
    assert settled(opened(), asked(), until=60 * SECOND) == [("q1", End.DEADLINE, 0)]


def test_only_its_own_user_can_cancel_a_run() -> None:
    def cancelled(*cancels: Cancelled) -> bool:
        assembler = Timely()
        rows: list[Observation] = [
            opened(),
            opened("ben", 2),
            asked(),
            accepted(),
            *cancels,
            heard(event(9), at=1),
        ]
        for row in rows:
            assembler.add(row)
        (history,) = assembler.finish(FOREVER)
        return history.cancelled

    assert cancelled(Cancelled(1, 0, "r1"))
    assert not cancelled()
    assert not cancelled(Cancelled(1, 0, "r2"))
    assert not cancelled(Cancelled(2, 0, "r1"))


@pytest.mark.parametrize(
    ("row", "into"), [(Spoken(1, 0, "r1"), True), (Spoken(1, 0, "r2"), False), (Spoken(2, 0, "r1"), False)]
)
def test_a_user_speaks_into_an_own_run_alone(row: Spoken, into: bool) -> None:
    assembler = Timely()
    for each in (opened(), opened("ben", 2), asked(), accepted(), row):
        assembler.add(each)
    (history,) = assembler.finish(FOREVER)
    assert (history.spoken, history.cancelled) == (into, False)


def test_parallel_runs_of_one_socket_are_kept_apart() -> None:
    rows: list[Observation] = [opened(), asked("q1"), asked("q2"), accepted("r2", "q2"), accepted("r1", "q1")]
    rows += [heard(event(place, name=name), at=0.1) for place in (0, 1, 9) for name in ("r1", "r2")]
    assert settled(*rows) == [("r1", End.TERMINAL, 3), ("r2", End.TERMINAL, 3)]


def test_runs_of_two_sockets_are_kept_apart_even_where_ids_are_equal() -> None:
    rows: list[Observation] = [
        opened(),
        opened("ann", 2),
        asked(),
        asked(conn=2),
        accepted(),
        accepted(conn=2),
    ]
    rows += [heard(event(0)), heard(event(0), conn=2), heard(event(9), conn=2, at=0.1)]
    assert sorted(settled(*rows), key=lambda run: run[2]) == [
        ("r1", End.DEADLINE, 1),
        ("r1", End.TERMINAL, 2),
    ]


def test_a_run_that_was_not_accepted_is_known_by_its_request() -> None:
    assembler = Timely()
    for row in (opened(), replace(asked(), thread=""), heard(event(0)), heard(event(1)), heard(event(9))):
        assembler.add(row)
    (history,) = assembler.finish(FOREVER)
    assert (history.run, history.thread, history.accepted, len(history.events)) == ("r1", "t1", None, 3)
    assert list(assembler.strays) == []


def test_one_run_cannot_be_the_answer_to_two_requests() -> None:
    events = heard(event(0), at=1), heard(event(9), at=2)
    twice = accepted("r1", "q1"), accepted("r1", "q2")
    assert settled(opened(), asked("q1"), asked("q2"), *twice, *events) == [
        ("r1", End.TERMINAL, 2),
        ("q2", End.DEADLINE, 0),
    ]


def test_a_request_that_is_asked_again_is_answered_by_the_run_that_it_started() -> None:
    began, ending = heard(event(0), at=1), heard(event(9), at=70)
    again = asked(at=30), accepted(at=31)
    assert settled(opened(), asked(deadline=80), accepted(), began, *again, ending) == [
        ("r1", End.TERMINAL, 2)
    ]
    late = asked(at=30), accepted(at=65)
    assert settled(opened(), asked(), *late, ending) == [("r1", End.TERMINAL, 1)]


def test_a_thread_that_was_left_open_is_the_one_that_was_given() -> None:
    assembler = Timely()
    for row in (opened(), replace(asked(), thread=""), accepted()):
        assembler.add(row)
    (history,) = assembler.finish(FOREVER)
    assert history.thread == "t1"


def test_the_first_terminal_event_is_the_end() -> None:
    history = run(started(), thought(1), failed(), completed())
    assert terminal(history) is history.events[2].event
    assert terminal(run(started())) is None


def test_fates_do_not_depend_on_other_sockets() -> None:
    def fates(rows: list[Observation]) -> list[History]:
        assembler = Timely()
        histories = [history for row in rows for history in assembler.add(row)] + assembler.finish(FOREVER)
        return [history for history in histories if history.asked.conn == 1]

    alone = session(run(*whole(), deadline=0.05), run(*whole(), name="r2", request="q2"), leaves=False)
    ticks: list[Observation] = [opened("ben", 2)]
    ticks += [heard(Event(Kind.HEARTBEAT), conn=2, at=at / 1000) for at in range(0, 9000, 7)]
    together = sorted([*alone, *ticks], key=lambda row: row.at_ns)
    assert fates(together) == fates(alone)
    assert [received.conn for history in fates(alone) for received in history.events] == [1] * 14


@pytest.mark.parametrize("place", [1, 9])
def test_a_run_that_bears_its_request_s_name_is_known_by_any_event(place: int) -> None:
    named = [replace(event(at), run="q1", request="") for at in (place, 9)]
    assembler = Timely()
    rows: list[Observation] = [opened(), asked(), *(heard(one) for one in named)]
    for row in rows:
        assembler.add(row)
    (history,) = assembler.finish(FOREVER)
    assert (history.run, history.thread, len(history.events)) == ("q1", "t1", 2)
    assert list(assembler.strays) == []


# What only looks like it


def test_a_refusal_settles_at_once_and_leaves_nothing_open() -> None:
    assembler = Timely()
    for row in (opened(), asked()):
        assembler.add(row)
    (history,) = assembler.add(heard(Event(Kind.REFUSED, request="q1"), at=1))
    assert (history.end, history.ended_ns) == (End.REFUSED, SECOND)
    assert assembler._open == {}


@pytest.mark.parametrize("kind", [Kind.ACK, Kind.OTHER, Kind.REPORT])
def test_a_message_that_names_a_request_does_not_refuse_it(kind: Kind) -> None:
    said = heard(Event(kind, request="q1"), at=1)
    assert settled(opened(), asked(), said, accepted(at=2)) == [("r1", End.DEADLINE, 0)]


def test_a_request_that_is_asked_again_after_its_deadline_may_be_accepted() -> None:
    again = asked(at=2), accepted(at=3)
    assert settled(opened(), asked(deadline=1), *again) == [("q1", End.DEADLINE, 0), ("r1", End.DEADLINE, 0)]


def test_a_thread_that_was_named_is_not_the_one_that_the_start_names() -> None:
    assembler = Timely()
    for row in (opened(), asked(), heard(replace(event(0), thread="t2"))):
        assembler.add(row)
    (history,) = assembler.finish(FOREVER)
    assert history.thread == "t1"
