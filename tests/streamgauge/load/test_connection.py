"""What arrives on a connection and what is said on it, while its user waits or not."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from streamgauge.core.event import Kind
from streamgauge.core.observation import (
    Asked,
    Cancelled,
    Clocked,
    Closed,
    Malformed,
    Observation,
    Opened,
    Overheard,
    Received,
    Spoken,
)
from tests.support.apart import INSIDE
from tests.support.connected import CANARY, connected, kinds, only, request
from tests.support.peer import Peer

if TYPE_CHECKING or INSIDE:
    from gevent import sleep

    from streamgauge.load.bench import Bench

Make = Callable[..., "Bench"]
Recorded = Callable[["Bench"], list[Observation]]


# What arrives


def test_what_arrives_while_its_user_does_not_wait_is_recorded(make_bench: Make, recorded: Recorded) -> None:
    bench = make_bench("answers")
    connection = connected(bench)
    due_ns = time.monotonic_ns()
    run = connection.ask(request(), due_ns)
    assert run is not None
    sleep(0.2)  # the user is busy elsewhere
    assert (run.ended, run.run, connection.under_way, bench.snapshot().events, bench.runs) == (
        *(True, "run of q1"),
        *(0, 2, 1),
    )
    rows = recorded(bench)
    assert [type(row) for row in rows] == [Opened, Received, Asked, *[Received] * 3, Closed]
    assert kinds(rows) == [Kind.GREETING, Kind.ACCEPTED, Kind.STARTED, Kind.COMPLETED]
    assert [row.at_ns for row in rows] == sorted(row.at_ns for row in rows)


def test_the_rows_say_whose_connection_it_is_and_when_what_was_asked_was_due(
    make_bench: Make, recorded: Recorded
) -> None:
    bench = make_bench("accepts")
    before_ns = time.monotonic_ns()
    connection = connected(bench)
    connection.ask(request(), due_ns=before_ns - 7)
    opened, _, asked, *_ = recorded(bench)
    assert isinstance(opened, Opened)
    assert (opened.conn, opened.user, opened.canary) == (1, "ann", CANARY)
    assert before_ns <= opened.began_ns <= opened.at_ns
    assert isinstance(asked, Asked)
    assert (asked.request, asked.thread, asked.agent) == ("q1", "t", "guide")
    assert (asked.due_ns, asked.deadline_ns) == (before_ns - 7, asked.at_ns + 5_000_000_000)
    assert asked.at_ns > asked.due_ns


def test_the_server_is_given_its_time_however_late_we_ask(make_bench: Make, recorded: Recorded) -> None:
    bench = make_bench("accepts")
    connection = connected(bench)
    connection.ask(request(), due_ns=time.monotonic_ns() - 60_000_000_000)
    (asked,) = [row for row in recorded(bench) if isinstance(row, Asked)]
    assert asked.deadline_ns > time.monotonic_ns()


def test_stamps_lie_between_our_own_times(make_bench: Make, recorded: Recorded) -> None:
    bench = make_bench("answers")
    connection = connected(bench)
    for number in range(20):
        connection.ask(request(f"q{number}"), time.monotonic_ns())
        sleep(0.01)
    rows = [row for row in recorded(bench) if isinstance(row, Received) and row.exact]
    assert len(rows) > 10
    assert all(row.at_ns - 1_000_000_000 < row.kernel_ns <= row.at_ns + 100_000 for row in rows)


def test_a_binary_message_is_recorded_even_before_the_greeting(make_bench: Make, recorded: Recorded) -> None:
    bench = make_bench("begins_in_binary")
    connected(bench)
    rows = recorded(bench)
    assert [type(row) for row in rows] == [Malformed, Opened, Received, Closed]
    assert rows[0] == Malformed(1, rows[0].at_ns, 2, "binary")


BENS_CANARY = "sgcanaryOfBenAndNobodyElse12"


@pytest.mark.parametrize(
    ("behaviour", "why"), [("leaks_in_binary", "binary"), ("leaks_in_latin", "invalid UTF-8")]
)
def test_a_canary_is_found_in_a_message_that_is_no_text(
    make_bench: Make, recorded: Recorded, behaviour: str, why: str
) -> None:
    bench = make_bench(behaviour)
    connected(bench)
    sleep(0.2)
    (row,) = only(recorded(bench), Malformed)
    assert isinstance(row, Malformed)
    assert (row.why, row.foreign) == (why, BENS_CANARY)


@pytest.mark.parametrize(
    ("behaviour", "where", "size"),
    [
        ("leaks_in_pings", "ping", 28),
        ("leaks_in_pongs", "pong", 28),
        ("leaks_in_its_close", "close", 30),
        ("leaks_in_a_faulty_frame", "refused frame", 30),
    ],
)
def test_a_canary_is_found_in_what_is_no_message(
    make_bench: Make, recorded: Recorded, behaviour: str, where: str, size: int
) -> None:
    bench = make_bench(behaviour)
    connection = connected(bench)
    sleep(0.4)
    assert connection.open is (where in {"ping", "pong"})
    rows = recorded(bench)
    overheard = [row for row in rows if isinstance(row, Overheard)]
    assert overheard == [Overheard(1, overheard[0].at_ns, size, where, BENS_CANARY)]
    assert len(only(rows, Malformed)) == (where == "refused frame")
    assert isinstance(rows[-1], Closed)


def test_a_refused_request_is_over(make_bench: Make) -> None:
    bench = make_bench("refuses")
    connection = connected(bench)
    run = connection.ask(request(), time.monotonic_ns())
    assert run is not None
    sleep(0.1)
    assert (run.ended, run.run, connection.under_way) == (True, "", 0)
    assert [(finished.name, finished.error) for finished in bench.finished] == [("guide", "busy")]


def test_a_server_with_another_clock_is_pinged_and_its_answers_are_recorded(
    make_bench: Make, recorded: Recorded
) -> None:
    bench = make_bench("tells_the_time")
    connected(bench)
    sleep(0.5)
    rows = recorded(bench)
    taken = [row for row in rows if isinstance(row, Clocked)]
    answers = [row for row in rows if isinstance(row, Received) and row.event.kind == Kind.PONG]
    assert 2 <= len(taken) <= len(answers) // 2  # the others answer no ping that was sent
    hour = 3_600_000_000_000
    assert all(row.clock == "clock" for row in taken)
    assert all(abs(row.offset_ns - hour) <= row.bound_ns for row in taken)  # it is this machine's, and known


# What is said


def test_what_the_socket_does_not_take_at_once_is_written_later_and_in_order(
    make_bench: Make, peer: Peer, recorded: Recorded
) -> None:
    bench = make_bench("reads_late")
    connection = connected(bench)
    connection.ask(request("large", "x" * 16_000_000), time.monotonic_ns())
    assert connection._transport is not None
    assert connection._transport.unsent > 1_000_000
    connection.ask(request("small"), time.monotonic_ns())
    assert [peer.heard(), peer.heard()] == [["large", 16_000_000], ["small", 1]]
    assert not connection._transport.unsent
    assert len(only(recorded(bench), Asked)) == 2


def test_a_ping_is_answered_while_its_user_does_not_wait(make_bench: Make, peer: Peer) -> None:
    connected(make_bench("pings"))
    assert peer.heard() == "pong"


def test_a_run_is_cancelled_once_it_is_accepted_and_only_until_it_ends(
    make_bench: Make, peer: Peer, recorded: Recorded
) -> None:
    bench = make_bench("accepts")
    connection = connected(bench)
    run = connection.ask(request(), time.monotonic_ns())
    assert run is not None
    connection.cancel(run)  # it has no name yet
    assert run.accepted.wait(5)
    connection.cancel(run)
    assert peer.heard() == {"type": "cancel_run", "payload": {"run_id": "run of q1"}}
    run.ended = True
    connection.cancel(run)
    cancelled = only(recorded(bench), Cancelled)
    assert [row.run for row in cancelled if isinstance(row, Cancelled)] == ["run of q1"]


def test_that_a_user_spoke_into_a_run_is_recorded(make_bench: Make, peer: Peer, recorded: Recorded) -> None:
    bench = make_bench("accepts")
    connection = connected(bench)
    run = connection.ask(request(), time.monotonic_ns())
    assert run is not None
    connection.say(run, "and?")  # it has no name yet
    assert run.accepted.wait(5)
    connection.say(run, "and?")
    assert peer.heard() == {"type": "user_message", "payload": {"run_id": "run of q1", "text": "and?"}}
    run.ended = True
    connection.say(run, "and?")
    spoken = only(recorded(bench), Spoken)
    assert [row.run for row in spoken if isinstance(row, Spoken)] == ["run of q1"]
