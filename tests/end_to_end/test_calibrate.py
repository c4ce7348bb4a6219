"""The server with known delays, and the instrument held against it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from websockets.sync import client
from websockets.sync.client import ClientConnection

from streamgauge.core.event import LAST_RUN_EVENT
from streamgauge.core.observation import Received
from streamgauge.core.recording import Recording
from streamgauge.core.stretch import unfolded
from streamgauge.core.truth import decode
from streamgauge.protocol import PROTOCOLS
from streamgauge.protocol.login import mint_token
from streamgauge.rig.known_run import LEAST_DELAY_S
from streamgauge.rig.probe import ProbeError, probe
from tests.support.command import SECRET, Run, Server, Start

KNOWN = "streamgauge.rig.known_delay"
SHORT = ("--duration", "2s", "--users", "30")


def received(folder: Path) -> list[Received]:
    """The events of runs that a recording holds."""
    (path,) = folder.glob("recording/*.sgr")
    rows = unfolded(Recording.of(path.read_bytes()).rows)
    return [row for row in rows if isinstance(row, Received) and row.event.kind <= LAST_RUN_EVENT]


def test_its_streams_keep_the_contract_and_its_truth_is_of_what_arrived(
    streamgauge: Run, tmp_path: Path
) -> None:
    server = f"{sys.executable} -m {KNOWN} --truth {tmp_path}/truth.jsonl"
    done = streamgauge("run", *SHORT, "--interval", "300ms", "--spawn-rate", "100", "--server", server)
    assert done.code == 0, done.out + done.err
    assert all(verdict.exercised for verdict in done.report.verdicts if verdict.required)
    truth = decode((tmp_path / "truth.jsonl").read_bytes())
    rows = received(done.folder)
    assert len(truth) == len(rows) > 500
    arrived = {(row.event.run, row.event.seq): row for row in rows}
    for sent in truth:
        row = arrived[sent.run, sent.seq]
        assert row.event.emitted_ns == sent.emitted_ns
        assert sent.emitted_ns + LEAST_DELAY_S * 1e9 <= sent.sent_ns < sent.returned_ns
        assert row.at_ns > sent.sent_ns


@pytest.fixture
def known(start: Start, tmp_path: Path) -> Server:
    """A server with known delays, which leaves its truth in truth.jsonl."""
    process = start(KNOWN, "--truth", str(tmp_path / "truth.jsonl"), secret=SECRET).process
    assert process.stdout is not None
    return Server(json.loads(process.stdout.readline())["listening"], process)


def connect(known: Server) -> ClientConnection:
    token = mint_token("ann", SECRET, time.time())
    return client.connect(
        known.address, additional_headers={"Authorization": f"Bearer {token}"}, compression=None
    )


def say(socket: ClientConnection, kind: str, **payload: object) -> None:
    socket.send(json.dumps({"type": kind, "payload": payload}))


def test_what_the_socket_did_not_take_at_once_is_no_part_of_the_truth(known: Server, tmp_path: Path) -> None:
    """A client that asks for 14 MB before it reads anything."""
    runs, events = 300, 10
    with connect(known) as socket:
        for number in range(runs):
            say(socket, "start_agent", request_id=f"q-{number}", user_request="x" * 8_000)
        time.sleep(2)
        heard = [json.loads(socket.recv(10)) for _ in range(1 + runs * (1 + events))]
    known.process.terminate()
    known.process.wait(10)
    emitted = {
        (message["run_id"], message["seq"]): message["emitted_ns"] for message in heard if "seq" in message
    }
    truth = decode((tmp_path / "truth.jsonl").read_bytes())
    assert len(emitted) == runs * events
    assert 0 < len(truth) < 0.9 * len(emitted)
    assert {(sent.run, sent.seq): sent.emitted_ns for sent in truth}.items() < emitted.items()


def test_it_refuses_what_is_no_start(known: Server) -> None:
    with connect(known) as socket:
        assert json.loads(socket.recv(10))["payload"]["user_id"] == "ann"
        say(socket, "cancel_run", run_id="r")
        socket.send("hello")
        say(socket, "start_agent", request_id="q-1")
        codes = [json.loads(socket.recv(10))["payload"]["code"] for _ in range(3)]
    assert codes == ["not_supported", "bad_message", "bad_message"]


def test_it_lets_nobody_in_without_its_own_token(known: Server) -> None:
    token = mint_token("ann", "another-secret-of-the-tests-and-of-nothing", time.time())
    with pytest.raises(ProbeError, match="refused the token"):
        probe(known.address, PROTOCOLS["native"], token, 5)


def test_three_loads_are_held_against_the_truth(streamgauge: Run, tmp_path: Path) -> None:
    done = streamgauge("calibrate", *SHORT, "--pilots", "0", "--json")
    found = json.loads(done.out)
    assert done.code == {"pass": 0, "fail": 1, "unknown": 3}[found["outcome"]], done.err
    assert [load["name"] for load in found["loads"]] == ["20 %", "70 %", "beside a hog"]
    for load in found["loads"]:
        assert load["exact"] > 299
        assert load["unknown"] == 0
        # the kernel had each packet while its `send` lasted
        assert load["outside"] < load["exact"] / 10
        median = next(spread for spread in load["spread"] if spread["q"] == 0.5)
        assert abs(median["stamp"]) < median["read"]
        assert 0 < load["cpu_share"] < 1
    assert not [doubt for load in found["loads"] for doubt in load["remarks"] if "truth" in doubt]
    (folder,) = (tmp_path / "results").iterdir()
    assert json.loads((folder / "calibration.json").read_bytes()) == found


def test_a_single_core_is_refused(tmp_path: Path) -> None:
    one = min(os.sched_getaffinity(0))
    done = subprocess.run(
        [sys.executable, "-m", "streamgauge", "calibrate", *SHORT],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, {one}),
    )
    assert done.returncode == 2
    assert done.stderr.startswith("streamgauge: calibrate: this process may use one core, and it takes two")
    assert not list(tmp_path.iterdir())


def test_help_has_an_example(streamgauge: Run) -> None:
    done = streamgauge("calibrate", "--help")
    assert done.code == 0
    assert "streamgauge calibrate --duration 1m --json > calibration.json" in done.out


def test_a_server_without_a_secret_says_what_to_set(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if name != "STREAMGAUGE_SECRET"}
    done = subprocess.run(
        [sys.executable, "-m", KNOWN, "--truth", str(tmp_path / "truth.jsonl")],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "no secret: set STREAMGAUGE_SECRET" in done.stderr
