from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner
from websockets.sync.client import connect

from reference_server.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.reference_server.conftest import Kit

COMMAND = [sys.executable, "-m", "reference_server"]
SECRET = "a secret of more than thirty-two bytes"


@contextmanager
def running(*flags: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A server process and its first line."""
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    with process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def end(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[int, str]:
    """Send a signal; gives the exit code and what was written to standard error."""
    process.send_signal(number)
    _, errors = process.communicate(timeout=10)
    return process.returncode, errors


def health(port: int) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
            status: int = answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    return status


def refused(*flags: str) -> tuple[int, str]:
    """A command that does not start: its exit code and its words."""
    found = subprocess.run([*COMMAND, *flags], capture_output=True, text=True, timeout=20, check=False)
    return found.returncode, found.stderr


def refused_here(monkeypatch: pytest.MonkeyPatch, *flags: str) -> tuple[int, str]:
    """The same without a process of its own, which takes seconds on a busy machine."""
    monkeypatch.setattr("reference_server.cli.configure", lambda *_: None)  # logging is the whole process's
    monkeypatch.delenv("STREAMGAUGE_SECRET", raising=False)
    found = CliRunner().invoke(app, list(flags))
    return found.exit_code, found.stderr


def test_help_has_an_example(kit: Kit) -> None:
    text = kit.python("-m", "reference_server", "--help").stdout
    assert text.startswith("Usage: streamgauge serve ")
    assert "Example: streamgauge serve" in text
    for flag in ("--measure", "--fault", "--window", "--drain", "--origin", "--outbox-bytes"):
        assert flag in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_says_where_it_is_serves_and_ends_well(kit: Kit, number: int) -> None:
    with running("--secret", SECRET, "--log-level", "debug") as (process, line):
        assert line == {
            "listening": f"ws://127.0.0.1:{line['port']}/ws",
            "port": line["port"],
            "pid": process.pid,
            "secret_source": "flag",
        }
        with urllib.request.urlopen(f"http://127.0.0.1:{line['port']}/healthz") as answer:
            assert json.load(answer)["status"] == "ok"
        with connect(line["listening"], additional_headers=kit.bearer("u7")) as client:
            assert json.loads(client.recv())["payload"]["user_id"] == "u7"
            start = {"user_request": "my private text", "request_id": "q", "context": {"c": "canary"}}
            client.send(json.dumps({"type": "start_agent", "payload": start}))
            while '"agent_completed"' not in str(client.recv()):
                pass
        code, errors = end(process, number)
    assert code == 0
    assert "event=drained" in errors
    for private in (SECRET, "my private text", "canary", kit.bearer("u7")["Authorization"][7:40]):
        assert private not in errors


def test_a_second_signal_ends_at_once(kit: Kit) -> None:
    with (
        running("--secret", SECRET, "--drain", "60", "--measure") as (process, line),
        connect(line["listening"], additional_headers=kit.bearer()) as client,
    ):
        script = [{"do": "sleep", "ms": 60_000}, {"do": "result"}]
        start = {"user_request": "hi", "request_id": "q", "options": {"script": script}}
        client.send(json.dumps({"type": "start_agent", "payload": start}))
        while '"agent_started"' not in str(client.recv()):
            pass
        process.send_signal(signal.SIGTERM)
        while health(line["port"]) == 200:
            pass
        code, errors = end(process)
    assert (code, "without draining" in errors) == (1, True)


def test_without_a_secret_one_is_made_and_a_token_offered() -> None:
    with running() as (process, line):
        assert line["secret_source"] == "generated"
        assert process.stderr is not None
        process.stderr.readline()
        token = process.stderr.readline().strip()
        with connect(line["listening"], additional_headers={"Authorization": f"Bearer {token}"}) as client:
            assert json.loads(client.recv())["payload"]["user_id"] == "demo"
        assert end(process)[0] == 0


def test_the_secret_may_come_from_the_environment(kit: Kit) -> None:
    with running(STREAMGAUGE_SECRET=SECRET) as (process, line):
        assert line["secret_source"] == "environment"
        with connect(line["listening"], additional_headers=kit.bearer()):
            pass
        assert end(process)[0] == 0


def test_logs_can_be_json() -> None:
    with running("--secret", "short", "--log-format", "json") as (process, _):
        _, errors = end(process)
    logged = json.loads(errors.splitlines()[0])
    assert (logged["event"], logged["level"], logged["part"]) == ("short_secret", "warning", "cli")


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, errors = refused("--port", str(port), "--secret", SECRET)
    assert code == 2
    assert errors == in_use(port)


def test_no_token_is_offered_where_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, errors = refused_here(monkeypatch, "--port", str(port))
    assert (code, errors) == (2, in_use(port))


def in_use(port: int) -> str:
    return (
        f"reference server: port {port} on 127.0.0.1 is in use: "
        "stop what listens there, or choose another --port (0: any)\n"
    )


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--measure", "--host", "0.0.0.0"), "--measure-on-public-address"),
        (("--fault", "swap"), "--fault needs --measure"),
        (("--measure", "--fault", "nonsense"), "no fault of this name; there are: "),
        (("--measure", "--fault", "swap:2"), "swap:0.01"),
        (("--secret", ""), "--secret is empty"),
        (("--heartbeat", "0"), "--heartbeat must be above 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], said: str
) -> None:
    code, errors = refused_here(monkeypatch, "--port", "0", *flags)
    assert code == 2
    assert said in errors
    assert len(errors.splitlines()) == 1
