"""Runs the real command against real servers over real sockets."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streamgauge.cli.app import app
from streamgauge.report.model import Report
from streamgauge.report.render_json import read_json
from tests.support.command import SECRET, Run, Server, Start, Started


@pytest.fixture(autouse=True)
def _every_recording_gives_the_live_verdict(tmp_path: Path) -> Iterator[None]:
    """Whatever a test made is judged once more, from what was recorded of it."""
    yield
    for path in tmp_path.rglob("report.json"):
        live = read_json(path.read_bytes())
        if (path.parent / "recording").is_dir():
            again = CliRunner().invoke(app, ["check", str(path.parent), "--json"])
            recorded = read_json(again.stdout.encode())
            if any(doubt.name == "workers missing" for doubt in live.doubts):
                assert (
                    recorded.outcome == live.outcome
                )  # a killed worker's rows were never told, but recorded
            else:
                assert verdict(recorded) == verdict(live), path.parent


def verdict(report: Report) -> dict[str, object]:
    """What a report says of the rules, the thresholds and the whole."""
    rules = {v.rule.value: (v.outcome.value, v.exercised, v.unknown, v.found) for v in report.verdicts}
    limits = {one.threshold.text: (one.outcome.value, one.n) for one in report.thresholds}
    return {"outcome": report.outcome.value, **rules, **limits}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `python -m MODULE arguments` in a folder of its own."""
    started: list[Started] = []

    def start(module: str, *arguments: str, secret: str = "") -> Started:
        env = {"STREAMGAUGE_SECRET": secret} if secret else {}
        started.append(Started([sys.executable, "-m", module, *arguments], tmp_path, env))
        return started[-1]

    yield start
    for one in started:
        one.kill()


@pytest.fixture
def streamgauge(start: Start) -> Run:
    """Run `streamgauge arguments` to its end."""
    return lambda *arguments, secret="": start("streamgauge", *arguments, secret=secret).wait()


@pytest.fixture
def server(start: Start) -> Server:
    """A reference server on a free port, whose secret is SECRET."""
    process = start("reference_server", "--port", "0", secret=SECRET).process
    assert process.stdout is not None
    listening = re.search(r'"listening":"([^"]+)"', process.stdout.readline())
    assert listening is not None
    return Server(listening[1], process)
