"""A run over four machines: server, master and two workers, each with an address of its own."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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


def test_four_machines_with_one_clock_give_one_verdict(on: OnMachine) -> None:
    done = run(on, (0, 0, 0, 0))
    assert done.code == 0, done.out + done.err
    report = done.report
    assert len(report.workers) == len(report.recordings) == 2
    assert all(worker.messages for worker in report.workers)
    assert report.counts["users"] == 30
    assert report.counts["requests"] == report.counts["runs"] > 0
    delivery = {duration.name: duration.n for duration in report.durations}
    assert delivery["delivery latency"] > 0
