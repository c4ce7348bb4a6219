"""The C source of events keeps the contract, as the instrument itself judges it."""

import json
import socket
import struct
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from websockets.sync.client import ClientConnection, connect

from peers.source import Source, build, started
from streamgauge.core.observation import Asked
from streamgauge.core.recording import Recording
from tests.support.command import Run

CLOSED = """scenario = "steady"
arrivals = { kind = "constant", interval = 0.1 }
[[personas]]
think = 0
"""
LOAD = ("--users", "50", "--duration", "4s", "--interval", "300ms", "--secret", "x")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("source"))


@pytest.fixture
def source(program: Path) -> Iterator[Source]:
    with started(program) as source:
        yield source


@pytest.mark.parametrize(("gap_us", "least", "most"), [(0, 0.0, 0.3), (5000, 0.7, 1.0)])
def test_every_rule_is_kept_and_only_a_gap_gives_each_event_a_read_of_its_own(
    streamgauge: Run, program: Path, gap_us: int, least: float, most: float
) -> None:
    with started(program, "--gap-us", str(gap_us)) as source:
        done = streamgauge("run", "--target", source.address, *LOAD)
        assert done.code == 0, done.out + done.err
        report = done.report
        assert all(bool(verdict.exercised) >= verdict.required for verdict in report.verdicts)
        assert not any(verdict.findings for verdict in report.verdicts)
        counts = report.counts
        assert counts["runs completed"] == counts["requests"] > 100
        assert counts["events"] == 10 * counts["requests"]
        assert least <= counts["exact stamps"] / counts["messages"] <= most
        assert metric(source, "streamgauge_server_events_total") == counts["events"]
        assert 0 < metric(source, "streamgauge_server_cpu_seconds") < 10


def test_nobody_waits_for_ever_in_a_closed_loop_that_is_more_than_we_can_carry(
    streamgauge: Run, program: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "closed.toml"
    plan.write_text(CLOSED, encoding="utf-8")
    users = 1_000  # greeted all at once, so that greenlets and callbacks vie for the loop
    with started(program, "--hold", str(users)) as source:
        done = streamgauge(
            *("run", "--plan", str(plan), "--target", source.address, "--secret", "x"),
            *("--users", str(users), "--spawn-rate", "500", "--duration", "6s"),
        )
    assert done.code == 0, done.out + done.err
    (recording,) = (done.folder / "recording").glob("*.sgr")
    rows = Recording.of(recording.read_bytes()).rows
    asked = Counter(row.conn for row in rows if isinstance(row, Asked))
    assert len(asked) == users
    assert min(asked.values()) > 2, "some were left behind"


def test_events_are_as_long_as_those_of_the_figures_they_are_compared_with(source: Source) -> None:
    with connection(source, "u1") as ours:
        ours.send(request("q-1"))
        messages = [ours.recv() for _ in range(12)]
    events = messages[2:]
    assert 240 < sum(map(len, events)) / len(events) < 310


def test_a_request_is_echoed_as_it_was_written(source: Source) -> None:
    context = {"deep": [1, {"quote": 'a "b" \\ }'}], "é": None}
    with connection(source, 'the "first"') as ours:
        greeting = json.loads(ours.recv())
        ours.send(request('q "1"', thread_id="t-mine", agent_name="mine", context=context))
        accepted, *events = [json.loads(ours.recv()) for _ in range(11)]
        ours.send(request("q-2"))
        again = [json.loads(ours.recv()) for _ in range(11)][1:]
    assert greeting["payload"]["user_id"] == 'the "first"'
    assert greeting["payload"]["clock_id"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert accepted["payload"]["request_id"] == 'q "1"'
    assert {event["run_id"] for event in events} == {accepted["payload"]["run_id"]}
    assert {event["thread_id"] for event in events} == {"t-mine"}
    assert {event["agent_name"] for event in events} == {"mine"}
    assert [event["seq"] for event in events] == list(range(1, 11))
    assert [event["offset"] for event in again] == list(range(11, 21))
    assert events[0]["payload"]["context"] == events[-1]["payload"]["context"] == context
    assert again[0]["run_id"] != events[0]["run_id"]


def test_large_requests_and_ones_in_pieces_are_read(source: Source) -> None:
    with connection(source, "u1") as ours:
        ours.recv()
        ours.send(request("q-1", user_request="x" * 60_000))
        thought = [json.loads(ours.recv()) for _ in range(11)][2]
        assert thought["payload"]["reasoning"].endswith("x" * 60_000)
        whole = masked(request("q-2").encode())
        for byte in whole:
            ours.socket.sendall(bytes([byte]))
        assert [json.loads(ours.recv()) for _ in range(11)][-1]["type"] == "agent_completed"


def test_other_messages_get_their_answers(source: Source) -> None:
    with connection(source, "u1") as ours:
        ours.recv()
        ours.send('{"type":"ping","payload":{"client_ns":17}}')
        ours.send('{"type":"cancel_run","payload":{"run_id":"r-1"}}')
        ours.send('{"type":"start_agent","payload":{}}')
        pong, ack, error = (json.loads(ours.recv()) for _ in range(3))
        assert ours.ping().wait(5)
        ours.send("no JSON")
        with pytest.raises(Exception, match="1007"):
            ours.recv()
    assert pong["payload"]["client_ns"] == 17
    assert ack == {"type": "ack", "payload": {"command": "cancel_run", "run_id": "r-1"}}
    assert error["type"] == "error"


def test_all_are_greeted_at_once_where_it_holds(program: Path) -> None:
    with started(program, "--hold", "2") as source, connection(source, "u1") as first:
        with pytest.raises(TimeoutError):
            first.recv(timeout=0.2)
        with connection(source, "u2") as second:
            assert json.loads(first.recv(timeout=5))["payload"]["user_id"] == "u1"
            assert json.loads(second.recv(timeout=5))["payload"]["user_id"] == "u2"
            assert metric(source, "streamgauge_server_connections") == 2


def test_it_listens_on_loopback_alone(program: Path) -> None:
    with pytest.raises(Exception, match="ended at once"), started(program, "--address", "0.0.0.0"):
        pass
    with started(program, "--address", "127.0.0.2", "--address", "127.0.0.3") as source:
        for address in ("127.0.0.2", "127.0.0.3"):
            socket.create_connection((address, source.port), timeout=5).close()


def connection(source: Source, user: str) -> ClientConnection:
    claims = urlsafe_b64encode(json.dumps({"sub": user}).encode()).decode().rstrip("=")
    return connect(source.address, additional_headers={"Authorization": f"Bearer e30.{claims}.x"})


def request(request_id: str, **fields: Any) -> str:
    payload = {"user_request": "Where does the money go?", "request_id": request_id, **fields}
    return json.dumps({"type": "start_agent", "payload": payload})


def masked(payload: bytes) -> bytes:
    """One text frame of a client, under a mask that changes nothing."""
    return struct.pack("!BBH", 0x81, 0x80 | 126, len(payload)) + bytes(4) + payload


def metric(source: Source, name: str) -> float:
    with urlopen(f"http://127.0.0.1:{source.port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))
