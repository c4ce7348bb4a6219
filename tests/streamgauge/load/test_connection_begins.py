"""When a connection is one: after its greeting, or its handshake where none is due; else why not."""

import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from streamgauge.core.observation import Asked, Closed, Makes, Observation, Opened
from tests.support.apart import INSIDE
from tests.support.connected import CANARY, connected, only, request

if TYPE_CHECKING or INSIDE:
    from streamgauge.load.bench import Bench
    from streamgauge.load.refusal import NotConnected

Make = Callable[..., "Bench"]
Recorded = Callable[["Bench"], list[Observation]]


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


@pytest.mark.parametrize(
    ("behaviour", "protocol", "makes"), [("accepts", "native", Makes(1)), ("speaks_ag_ui", "ag-ui", None)]
)
def test_a_run_is_held_against_its_script_where_the_protocol_has_scripts(
    make_bench: Make, recorded: Recorded, behaviour: str, protocol: str, makes: Makes | None
) -> None:
    bench = make_bench(behaviour, protocol=protocol)
    connected(bench).ask(request(), time.monotonic_ns(), makes=Makes(1))
    assert [row.makes for row in recorded(bench) if isinstance(row, Asked)] == [makes]


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
