"""Launches, their comparison, servers that a run starts itself, and the trend."""

import json
import socket
import sys
from pathlib import Path

import pytest

from tests.support.command import SECRET, Run

SHORT = ("--users", "20", "--duration", "3s", "--interval", "300ms", "--spawn-rate", "200")
SERVER = f"{sys.executable} -m reference_server --port 0 --measure"


def test_a_slowed_server_costs_more_and_one_pair_is_inconclusive(streamgauge: Run, tmp_path: Path) -> None:
    slowed = f"{SERVER} --slow-events 3"
    launched = streamgauge("launches", "pairs", "--n", "1", "--base", SERVER, "--head", slowed, *SHORT)
    assert launched.code == 0, launched.err
    assert launched.out == "streamgauge compare pairs/base pairs/head\n"
    compared = streamgauge("compare", "pairs/base", "pairs/head", "--json")
    assert compared.code == 3, compared.err
    found = json.loads(compared.out)
    assert found["design"] == "side by side"
    cpu = found["comparisons"][0]
    assert (cpu["name"], cpu["launches"], cpu["low"]) == ("server-cpu-per-event", [1, 1], None)
    assert cpu["ratio"] > 2  # four times, as good as all of it in events
    assert len((tmp_path / "pairs" / "trend.jsonl").read_text().splitlines()) == 2


def test_launches_end_at_once_where_they_cannot_be(streamgauge: Run) -> None:
    done = streamgauge("launches", "pairs", "--n", "3", "--head", "false", *SHORT)
    assert done.code == 2
    assert done.err.splitlines()[-1] == (
        "streamgauge: pair 1, head: the server did not start: it did not say where it listens"
    )


def test_each_run_adds_a_line_to_the_trend(streamgauge: Run) -> None:
    streamgauge("run", *SHORT)
    done = streamgauge("run", *SHORT, "--fault", "drop-thinking")
    lines = [json.loads(line) for line in (done.results / "trend.jsonl").read_text().splitlines()]
    assert [line["outcome"] for line in lines] == ["pass", "fail"]
    assert lines[0]["machine"] == lines[1]["machine"]
    assert lines[0]["plan"] != lines[1]["plan"]
    assert all((done.results / line["folder"]).is_dir() for line in lines)
    assert all(line["server_cpu_per_event_ns"] > 1_000 for line in lines)


@pytest.mark.parametrize(
    ("server", "says"),
    [
        (
            "no-such-program --port 0",
            "--server no-such-program: cannot be started (No such file or directory)",
        ),
        ("echo hello", "the server did not start: it did not say where it listens"),
        (f"{SERVER} --port nonsense", "the server did not start: "),
    ],
)
def test_a_server_that_does_not_start(streamgauge: Run, server: str, says: str) -> None:
    done = streamgauge("run", *SHORT, "--server", server)
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith(f"streamgauge: {says}")
    assert not list(done.results.iterdir())


def test_a_server_that_does_not_say_where_it_listens_is_waited_for(streamgauge: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = f"{sys.executable} -m reference_server --port {port}"
    target = f"ws://127.0.0.1:{port}/ws"
    done = streamgauge("run", *SHORT, "--server", server, "--target", target, secret=SECRET)
    assert done.code == 0, done.out + done.err
    assert done.report.server is not None
    assert (
        streamgauge("run", *SHORT, "--target", target, secret=SECRET).code == 2
    )  # it has ended with its run
