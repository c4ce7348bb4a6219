"""The server with known delays, and the instrument held against it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from streamgauge.core.event import LAST_RUN_EVENT
from streamgauge.core.observation import Received
from streamgauge.core.recording import Recording
from streamgauge.core.truth import decode
from streamgauge.rig.known_run import LEAST_DELAY_S
from tests.support.command import Run

KNOWN = "streamgauge.rig.known_delay"
SHORT = ("--duration", "3s", "--users", "30")


def received(folder: Path) -> list[Received]:
    """The events of runs that a recording holds."""
    (path,) = folder.glob("recording/*.sgr")
    rows = Recording.of(path.read_bytes()).rows
    return [row for row in rows if isinstance(row, Received) and row.event.kind <= LAST_RUN_EVENT]


def test_its_streams_keep_the_contract_and_its_truth_is_of_what_arrived(
    streamgauge: Run, tmp_path: Path
) -> None:
    server = f"{sys.executable} -m {KNOWN} --truth {tmp_path}/truth.jsonl"
    done = streamgauge("run", *SHORT, "--interval", "300ms", "--spawn-rate", "100", "--server", server)
    assert done.code == 0, done.out + done.err
    assert all(verdict.exercised for verdict in done.report.verdicts)
    truth = decode((tmp_path / "truth.jsonl").read_bytes())
    rows = received(done.folder)
    assert len(truth) == len(rows) > 500
    arrived = {(row.event.run, row.event.seq): row for row in rows}
    for sent in truth:
        row = arrived[sent.run, sent.seq]
        assert row.event.emitted_ns == sent.emitted_ns
        assert sent.emitted_ns + LEAST_DELAY_S * 1e9 <= sent.sent_ns < sent.returned_ns
        assert row.at_ns > sent.sent_ns


def test_what_is_no_start_is_refused_and_who_has_no_token_is_not_let_in(streamgauge: Run) -> None:
    server = f"{sys.executable} -m {KNOWN} --truth truth.jsonl"
    done = streamgauge("run", *SHORT, "--scenario", "interrupt", "--spawn-rate", "100", "--server", server)
    assert done.code == 1  # it cancels no run, and says so
    assert "complete" not in done.failing, done.out


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="it takes two cores")
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
