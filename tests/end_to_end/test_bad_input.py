"""Bad input gets one clear line and exit code 2, and leaves nothing behind."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.support.command import SECRET, Done, Run, Server


@pytest.fixture
def web_page() -> Iterator[str]:
    """The address of a server that speaks HTTP and no WebSocket."""

    class Page(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"hi")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"ws://127.0.0.1:{server.server_port}/ws"
        server.shutdown()


@pytest.fixture
def nobody() -> str:
    """An address where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"ws://127.0.0.1:{sock.getsockname()[1]}/ws"


def refused(done: Done) -> str:
    assert done.code == 2, done.out + done.err
    assert "Traceback" not in done.err
    assert not done.results.exists() or not list(done.results.iterdir())
    return done.err


def test_a_target_that_is_not_there(streamgauge: Run, nobody: str) -> None:
    assert "cannot connect" in refused(streamgauge("run", "--target", nobody, secret=SECRET))


def test_a_target_that_is_no_websocket(streamgauge: Run, web_page: str) -> None:
    assert "no WebSocket" in refused(streamgauge("run", "--target", web_page, secret=SECRET))


def test_a_refused_token(streamgauge: Run, server: Server) -> None:
    said = refused(
        streamgauge("run", "--target", server.address, secret="not the server's own secret at all")
    )
    assert "refused the token" in said
    assert "401" in said


def test_a_script_for_a_target_without_measuring_controls(streamgauge: Run, server: Server) -> None:
    said = refused(streamgauge("run", "--scenario", "stream", "--target", server.address, secret=SECRET))
    assert "start it with --measure" in said


def test_a_target_of_another_protocol(streamgauge: Run, server: Server) -> None:
    said = refused(streamgauge("run", "--protocol", "ag-ui", "--target", server.address, secret=SECRET))
    assert "it greets as those of 'native' do; is --protocol ag-ui right?" in said


def test_no_secret_for_a_target(streamgauge: Run, nobody: str) -> None:
    assert "STREAMGAUGE_SECRET" in refused(streamgauge("run", "--target", nobody))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--scenario", "nothing"), "no such scenario; known are "),
        (("--fault", "nothing"), "known are alg-none, batching"),
        (("--fault", "swap:2"), "swap"),
        (("--protocol", "nothing"), "known are native"),
        (("--users", "0"), "users"),
        (("--users", "90000", "--spawn-rate", "90000", "--interval", "9s"), "would fit"),
        (("--duration", "soon"), "500ms"),
        (("--processes", "8", "--users", "3"), "--processes: 8 of them have only 3 users to share"),
        (("--processes", "0"), "--processes: Expected `int` >= 1"),
        (("--interval", "0"), "--interval: Expected `float` > 0.0"),
        (("--results", "/proc/nothing"), "cannot be written"),
        (("--target", "http://127.0.0.1:1/"), "ws://"),
        (("--target", "wss://ann@127.0.0.1:1/"), "wss://"),
    ],
)
def test_a_flag_that_cannot_be(streamgauge: Run, arguments: tuple[str, ...], says: str) -> None:
    assert says in refused(streamgauge("run", *arguments))


def test_a_plan_whose_sources_are_another_machine_s(streamgauge: Run, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text('sources = ["192.0.2.7"]')
    said = refused(streamgauge("run", "--plan", "plan.toml"))
    assert said == "streamgauge: sources: this machine has none of 192.0.2.7 (`ip address` lists its own)\n"


@pytest.mark.parametrize("command", [("plan", "check"), ("run", "--plan")], ids=["check", "run"])
def test_a_plan_that_is_not_there(streamgauge: Run, command: tuple[str, ...]) -> None:
    said = refused(streamgauge(*command, "nosuch.toml"))
    assert said == "streamgauge: nosuch.toml: cannot be read (No such file or directory)\n"


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (
            'scenario = "nosuch"',
            "plan.toml: scenario: nosuch: there is no such scenario; known are attack, burst, ",
        ),
        ('scenario = "overhead"', "plan.toml: slice_runs: the users of overhead act in slices: at least 1"),
        ("slice_runs = 2", "plan.toml: slice_runs: there are no slices in steady: leave it out"),
        ("reopen = 1", "plan.toml: reopen: without effect in steady, it is of isolation: leave it out"),
        ('login = { kind = "none" }', "plan.toml: login: the reference server lets nobody in but by a token"),
    ],
)
@pytest.mark.parametrize("command", [("plan", "check"), ("run", "--plan")], ids=["check", "run"])
def test_a_plan_that_no_scenario_can_run(
    streamgauge: Run, tmp_path: Path, command: tuple[str, ...], plan: str, says: str
) -> None:
    (tmp_path / "plan.toml").write_text(plan)
    assert refused(streamgauge(*command, "plan.toml")).startswith(f"streamgauge: {says}")


def test_a_flag_and_a_plan_that_name_different_scenarios(streamgauge: Run, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text('scenario = "interrupt"')
    said = refused(streamgauge("run", "--plan", "plan.toml", "--scenario", "burst"))
    assert "--scenario burst: plan.toml is a plan of interrupt: leave the flag out" in said


def test_a_port_in_use(streamgauge: Run) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = str(sock.getsockname()[1])
        said = refused(streamgauge("serve", "--port", port))
    assert port in said


def test_results_that_cannot_be_written(streamgauge: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, no folder")
    assert "cannot be written" in refused(streamgauge("run", "--results", "taken"))
