"""How a connection ends: by the server, by us, with the run, or by what goes wrong on our side."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from streamgauge.core.observation import Closed, Malformed, Observation, Received, Unsent
from tests.support.apart import INSIDE
from tests.support.connected import connected, only, request
from tests.support.peer import Peer

if TYPE_CHECKING or INSIDE:
    from gevent import sleep

    from streamgauge.load.bench import Bench

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"
Make = Callable[..., "Bench"]
Recorded = Callable[["Bench"], list[Observation]]


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
    bench = make_bench("answers", grace=0.2, slack=60)
    connection = connected(bench)
    run = connection.ask(request(), time.monotonic_ns())
    began = time.monotonic()
    connection.drain()
    assert run is not None
    assert run.ended
    assert bench.plan.grace <= time.monotonic() - began < bench.plan.slack


def test_draining_ends_with_the_deadline(make_bench: Make) -> None:
    bench = make_bench("accepts", slack=0.3)
    connection = connected(bench)
    connection.ask(request(), time.monotonic_ns())
    began = time.monotonic()
    connection.drain()
    assert time.monotonic() - began >= bench.plan.slack
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
    assert time.monotonic() - began_s < bench.plan.slack
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
