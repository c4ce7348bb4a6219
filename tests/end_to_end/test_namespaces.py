"""A run over four machines: server, master and two workers, each with an address of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streamgauge.report.model import Duration, Report
from streamgauge.report.render_json import read_json
from tests.support.command import ROOT, SECRET, Done, Started
from tests.support.namespaces import Machine, machines

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces are made by root; CI is")

SCENARIO = str(ROOT / "scenarios" / "steady.py")
DAY_S = 86_400
OnMachine = Callable[..., Started]


@pytest.fixture
def on(tmp_path: Path) -> Iterator[OnMachine]:
    """Start `python -m MODULE arguments` on a machine."""
    started: list[Started] = []

    def on(machine: Machine, module: str, *arguments: str, secret: str = "") -> Started:
        env = {"STREAMGAUGE_SECRET": secret} if secret else {}
        started.append(Started(machine.runs(sys.executable, "-m", module, *arguments), tmp_path, env))
        return started[-1]

    yield on
    for one in started:
        one.kill()


def run(on: OnMachine, clocks_s: tuple[int, int, int, int]) -> Done:
    """The run by hand that docs/distributed.md describes; the clocks of server, master and workers."""
    with machines(*clocks_s) as (server, master, *workers):
        listening = on(server, "reference_server", "--host", server.address, "--port", "8765", secret=SECRET)
        assert listening.process.stdout is not None
        address = re.search(r'"listening":"([^"]+)"', listening.process.stdout.readline())
        assert address is not None
        started = on(
            master, "locust", "-f", SCENARIO, "--host", address[1], "--headless", "-u", "30", "-r", "30",
            "-t", "6s", "--master", "--expect-workers", "2",
        )  # fmt: skip
        for worker in workers:
            on(worker, "locust", "-f", SCENARIO, "--worker", "--master-host", master.address, secret=SECRET)
        return started.wait()


def delivery(report: Report) -> Duration:
    return next(duration for duration in report.durations if duration.name == "delivery latency")


def test_four_machines_with_one_clock_give_one_verdict(on: OnMachine) -> None:
    done = run(on, (0, 0, 0, 0))
    assert done.code == 0, done.out + done.err
    report = done.report
    assert len(report.workers) == len(report.recordings) == 2
    assert all(worker.messages for worker in report.workers)
    assert report.counts["users"] == 30
    assert report.counts["requests"] == report.counts["runs"] > 0
    assert delivery(report).n > 0
    assert delivery(report).bound_ns == 0


def test_a_server_with_another_clock_is_mapped_with_its_bound(on: OnMachine) -> None:
    done = run(on, (DAY_S, 0, 0, 3 * DAY_S))  # one of the workers has a clock of its own too
    assert done.code == 0, done.out + done.err
    report, of = done.report, delivery(done.report)
    assert of.n > 100
    assert report.duration_s < 60
    assert len(report.seconds) < 60
    assert 0 < of.bound_ns < of.distribution.most < DAY_S * 1e9 / 1_000
    assert re.search(r"delivery latency \((server clock mapped, ±|clocks known to ±) ", done.out)
    assert report.counts.get("events of a clock not mapped", 0) < report.counts["events"] / 2
    checked = subprocess.run(
        [sys.executable, "-m", "streamgauge", "check", str(done.folder), "--json"],
        check=False,
        capture_output=True,
    )
    again = read_json(checked.stdout)
    assert delivery(again) == of
    assert again.verdicts == report.verdicts
