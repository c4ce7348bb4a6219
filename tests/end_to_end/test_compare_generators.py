"""The comparison, with what needs no installation: this suite itself."""

import json
import shutil
from pathlib import Path

import pytest

from peers.source import build
from tests.support.command import Start

SMALL = ("--only", "streamgauge", "--sockets", "20", "--settling", "0.5", "--seconds", "0.5", "--rounds", "1")


def test_it_measures_and_prints_a_table(start: Start, tmp_path: Path) -> None:
    done = start("peers.compare", *SMALL, "--json", "figures.json").wait()
    assert done.code == 0, done.out + done.err
    row = done.out.splitlines()[2]
    assert row.startswith("| streamgauge: ")
    assert "| 1.00 |" in row
    figures = json.loads((tmp_path / "figures.json").read_bytes())
    assert figures["conditions"]["sockets"] == 20
    (ours,) = figures["generators"]
    (sample,) = ours["samples"]
    assert sample["events"] > 200
    assert 0 < sample["source_cpu_s"] < sample["generator_cpu_s"] < 2 * sample["seconds"]
    assert 0 < sample["memory"]["one_socket"] < sample["memory"]["open"]
    assert sample["said"]["p50_ms"] > 0


def test_what_cannot_be_measured_is_no_success(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build()
    (tmp_path / "taskset").symlink_to(shutil.which("taskset") or "")
    monkeypatch.setenv("PATH", str(tmp_path))
    done = start("peers.compare", "--only", "node-ws", "--sockets", "2").wait()
    assert done.code == 3
    assert "not installed: no node in the PATH" in done.out


def test_it_says_which_generators_there_are(start: Start) -> None:
    done = start("peers.compare", "--only", "nobody").wait()
    assert done.code == 2
    assert "choose from" in done.err
    assert "artillery" in done.err
