import socket
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
    Received,
    Unsent,
)
from streamgauge.protocol import Request
from tests.support.apart import INSIDE
from tests.support.peer import Peer

if TYPE_CHECKING or INSIDE:
    from gevent import sleep

    from streamgauge.load.bench import Bench
    from streamgauge.load.connection import Connection
    from streamgauge.load.refusal import NotConnected

CANARY = "sgcanaryOfAnnAndNobodyElse1"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"
Make = Callable[..., "Bench"]
Recorded = Callable[["Bench"], list[Observation]]


def connected(bench: "Bench") -> "Connection":
    connection = Connection(bench, "ann", CANARY)
    connection.connect()
    return connection


def request(name: str = "q1", text: str = "?") -> Request:
    return Request(text=text, request=name, thread="t", agent="guide", context={})


def kinds(rows: list[Observation]) -> list[Kind]:
    return [Kind(row.event.kind) for row in rows if isinstance(row, Received)]


def only(rows: list[Observation], kind: type[Observation]) -> list[Observation]:
    return [row for row in rows if isinstance(row, kind)]


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


def test_a_refused_request_is_over(make_bench: Make) -> None:
    bench = make_bench("refuses")
    connection = connected(bench)
    run = connection.ask(request(), time.monotonic_ns())
    assert run is not None
    sleep(0.1)
    assert (run.ended, run.run, connection.under_way) == (True, "", 0)
    assert [(finished.name, finished.error) for finished in bench.finished] == [("guide", "busy")]


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


# How it ends


@pytest.mark.parametrize(
    ("behaviour", "code"), [("leaves", 1001), ("leaves_slowly", 1001), ("hangs_up", 1006)]
)
def test_a_connection_that_the_server_ends_is_not_ours(
    make_bench: Make, recorded: Recorded, behaviour: str, code: int
) -> None:
    bench = make_bench(behaviour)
    connection = connected(bench)
    sleep(0.1)
    assert not connection.open
    connection.close()  # too late
    assert not bench.connections
    (closed,) = only(recorded(bench), Closed)
    assert closed == Closed(1, closed.at_ns, code, ours=False)


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [("masks", "incorrect masking"), ("says_too_much", "limit"), ("speaks_latin", "invalid UTF-8")],
)
def test_a_server_that_breaks_websocket_is_at_fault_and_left_by_us(
    make_bench: Make, recorded: Recorded, behaviour: str, why: str
) -> None:
    bench = make_bench(behaviour)
    connection = connected(bench)
    sleep(0.2)
    assert not connection.open
    rows = recorded(bench)
    (fault,) = only(rows, Malformed)
    assert isinstance(fault, Malformed)
    assert why in fault.why
    (closed,) = only(rows, Closed)
    assert isinstance(closed, Closed)
    assert closed.ours


def test_who_leaves_says_so(make_bench: Make, peer: Peer, recorded: Recorded) -> None:
    bench = make_bench("hears_the_end")
    connected(bench).close()
    assert peer.heard() == 1000
    (closed,) = only(recorded(bench), Closed)
    assert closed == Closed(1, closed.at_ns, 1000, ours=True)


def test_what_is_open_at_the_end_of_the_run_is_left_by_us(make_bench: Make, recorded: Recorded) -> None:
    bench = make_bench("accepts")
    connected(bench)
    (closed,) = only(recorded(bench), Closed)
    assert closed == Closed(1, closed.at_ns, 1006, ours=True)


def test_what_is_asked_on_a_lost_connection_is_unsent(make_bench: Make, recorded: Recorded) -> None:
    bench = make_bench("leaves")
    connection = connected(bench)
    sleep(0.1)
    assert connection.ask(request(), due_ns=5) is None
    (unsent,) = only(recorded(bench), Unsent)
    assert unsent == Unsent(1, unsent.at_ns, 5, "the connection was lost")


def test_draining_waits_for_the_runs_and_the_grace_time(make_bench: Make) -> None:
    bench = make_bench("answers", grace=0.2)
    connection = connected(bench)
    run = connection.ask(request(), time.monotonic_ns())
    began = time.monotonic()
    connection.drain()
    assert run is not None
    assert run.ended
    assert 0.2 <= time.monotonic() - began < 2


def test_draining_ends_with_the_deadline(make_bench: Make) -> None:
    bench = make_bench("accepts", slack=0.3)
    connection = connected(bench)
    connection.ask(request(), time.monotonic_ns())
    began = time.monotonic()
    connection.drain()
    assert 0.3 <= time.monotonic() - began < 2
    assert connection.open


def test_who_is_let_go_waits_for_nothing(make_bench: Make, recorded: Recorded) -> None:
    bench = make_bench("accepts", slack=60)
    connection = connected(bench)
    run = connection.ask(request(), 0)
    assert run is not None
    bench.let_go()
    late = connected(bench)  # whoever was about to connect
    late.ask(request(), 0)
    began_s = time.monotonic()
    connection.drain()
    late.drain()
    assert run.over.is_set()
    assert time.monotonic() - began_s < 1
    assert all(row.ours for row in recorded(bench) if isinstance(row, Closed))


def test_draining_ends_with_the_connection(make_bench: Make) -> None:
    bench = make_bench("accepts")
    connection = connected(bench)
    connection.ask(request(), time.monotonic_ns())
    connection.abandon()
    began = time.monotonic()
    connection.drain()
    assert time.monotonic() - began < 0.2


# What goes wrong on our side


@pytest.mark.parametrize("where", ["gather", "observe"])
def test_an_exception_in_a_callback_is_a_trouble_and_ends_the_connection(
    make_bench: Make, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def broken(*_: object, **__: object) -> Received:
        raise KeyError(TOKEN)

    bench = make_bench("answers")
    connection = connected(bench)
    monkeypatch.setattr(connection._observer, "gather", lambda *_, **__: None)
    monkeypatch.setattr(connection._observer, where, broken)
    run = connection.ask(request(), time.monotonic_ns())
    assert run is not None
    assert run.accepted.wait(5), "its user was left waiting"
    assert not connection.open
    assert not bench.connections
    share = bench.finish()
    assert share.troubles == ("1 × KeyError in a callback: '[redacted]'",)


def test_nobody_is_left_waiting_where_nothing_can_be_recorded(
    make_bench: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = make_bench("answers")
    connection = connected(bench)
    run = connection.ask(request(), time.monotonic_ns())
    with monkeypatch.context() as patched:
        patched.setattr(bench._analysis, "add", lambda _: 1 / 0)
        assert run is not None
        assert run.accepted.wait(5)
        connection.drain()
        assert not bench.connections
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert bench.finish().troubles == ("1 × ZeroDivisionError in a callback: division by zero",)


# What is no connection


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        ("unknown", "HTTP 401 Unauthorized"),
        ("closes_ungreeted", "closed with 1013 before the greeting"),
        ("greets_nobody", "no greeting in time"),
    ],
)
def test_a_connection_that_is_refused_says_why_and_leaves_no_row(
    make_bench: Make, recorded: Recorded, behaviour: str, why: str
) -> None:
    bench = make_bench(behaviour, connect_timeout=0.5)
    with pytest.raises(NotConnected) as refused:
        connected(bench)
    assert str(refused.value) == why
    assert not bench.connections
    assert recorded(bench) == []


def test_nobody_listens(make_bench: Make) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        bench = make_bench(target=f"ws://127.0.0.1:{sock.getsockname()[1]}/")
        with pytest.raises(NotConnected, match=r"^Connection refused$"):
            connected(bench)


def test_without_a_secret_nobody_logs_in(make_bench: Make) -> None:
    with pytest.raises(NotConnected, match="set STREAMGAUGE_SECRET"):
        connected(make_bench(secret=""))


# A protocol without a greeting, whose runs bear their requests' names


def test_without_a_greeting_a_connection_is_open_when_its_handshake_is_done(
    make_bench: Make, recorded: Recorded
) -> None:
    bench = make_bench("greets_nobody", protocol="ag-ui")
    connection = connected(bench)
    assert connection.open
    connection.close()
    opened, closed = recorded(bench)
    assert isinstance(opened, Opened)
    assert (opened.user, opened.canary) == ("ann", CANARY)
    assert closed == Closed(1, closed.at_ns, 1000, ours=True)


def test_no_handshake_in_time_is_no_connection_either(make_bench: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = f"ws://127.0.0.1:{silent.getsockname()[1]}/"
        bench = make_bench(protocol="ag-ui", target=target, connect_timeout=0.2)
        with pytest.raises(NotConnected, match=r"^no handshake in time$"):
            connected(bench)


@pytest.mark.parametrize("text", ["?", "headless"])
def test_a_run_that_bears_its_request_s_name_ends_for_its_user(
    make_bench: Make, recorded: Recorded, text: str
) -> None:
    bench = make_bench("speaks_ag_ui", protocol="ag-ui")
    connection = connected(bench)
    runs = [connection.ask(request(name, text), time.monotonic_ns()) for name in ("q1", "q2")]
    connection.drain()
    assert [run and run.ended for run in runs] == [True, True]
    assert [run and run.run for run in runs] == (["q1", "q2"] if text == "?" else ["", ""])
    assert [finished.name for finished in bench.finished] == ["guide", "guide"]
    asked = only(recorded(bench), Asked)
    assert [(row.thread, row.agent, row.context) for row in asked if isinstance(row, Asked)] == [
        ("t", "", "")
    ] * 2


def test_what_a_protocol_has_no_message_for_is_neither_said_nor_recorded(
    make_bench: Make, recorded: Recorded
) -> None:
    bench = make_bench("greets_nobody", protocol="ag-ui")
    connection = connected(bench)
    run = connection.ask(request(), time.monotonic_ns())
    assert run is not None
    run.run = "q1"
    connection.cancel(run)
    connection.say(run, "and?")
    connection.close()
    assert [type(row) for row in recorded(bench)] == [Opened, Asked, Closed]


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
