"""Workers that come late, leave, or are killed in mid-run: nothing is lost without a word."""

import signal
import time

import pytest

from streamgauge.report.model import Report
from tests.support.command import ROOT, SECRET, TIMEOUT_S, Done, Server, Start, Started, free_port

SCENARIO = str(ROOT / "scenarios" / "steady.py")
USERS = 20


class Crew:
    """A master with two workers of its own, and what is done to them."""

    def __init__(self, start: Start, server: Server) -> None:
        self._start = start
        self._port = str(free_port())
        self.master: Started = start(
            "locust", "-f", SCENARIO, "--host", server.address, "--headless", "-u", str(USERS), "-r", "20",
            "-t", "120s", "--master", "--master-bind-port", self._port, "--expect-workers", "2",
        )  # fmt: skip
        self.workers = [self.add_worker() for _ in range(2)]

    def add_worker(self) -> Started:
        """Start one more worker."""
        return self._start("locust", "-f", SCENARIO, "--worker", "--master-port", self._port, secret=SECRET)

    def wait_until_all_work(self, workers: int = 2) -> None:
        """Until so many recordings have grown by now."""
        deadline = time.monotonic() + TIMEOUT_S
        while sum(size > 1_000 for size in self._sizes().values()) < workers:
            assert time.monotonic() < deadline, f"a worker recorded nothing: {self._sizes()}"
            time.sleep(0.1)

    def wait_until_more_is_recorded(self) -> None:
        """Until one of the recordings, whichever it is, has grown by as much again."""
        before = self._sizes()
        deadline = time.monotonic() + TIMEOUT_S
        while not any(size > before[path] + 1_000 for path, size in self._sizes().items()):
            assert time.monotonic() < deadline, "nobody records any more"
            time.sleep(0.1)

    def _sizes(self) -> dict[str, int]:
        recordings = self.master.where.glob("results/*/recording/*.sgr")
        return {path.name: path.stat().st_size for path in recordings}

    def end(self) -> Done:
        """Stop the run as Ctrl-C does on the master alone, and wait for its verdict."""
        self.master.interrupt()
        return self.master.wait()


@pytest.fixture
def crew(start: Start, server: Server) -> Crew:
    crew = Crew(start, server)
    crew.wait_until_all_work()
    return crew


def doubts(report: Report) -> dict[str, str]:
    return {doubt.name: doubt.value for doubt in report.doubts if doubt.name.startswith("workers ")}


def whole(done: Done) -> Report:
    """The report of a run of which nothing is missing."""
    assert done.code == 0, done.out + done.err
    report = done.report
    assert report.counts["requests"] == report.counts["runs"] > 0
    assert report.counts.get("runs abandoned", 0) == report.counts.get("closed by the server", 0) == 0
    return report


def test_a_killed_worker_is_missed_by_name_with_its_users(crew: Crew) -> None:
    crew.workers[0].process.kill()
    crew.wait_until_more_is_recorded()
    done = crew.end()
    assert done.code == 3, done.out + done.err
    report = done.report
    (left,) = report.workers
    (missing,) = doubts(report).values()
    host = left.name.rpartition("_")[0]
    assert missing.startswith(f"{host}_")
    assert missing.endswith(" (10 users)")
    assert left.name not in missing
    assert done.out.splitlines()[-1].startswith(f"UNKNOWN  workers missing: {host}_")


def test_all_workers_killed_leave_nothing_but_their_names(crew: Crew) -> None:
    for worker in crew.workers:
        worker.process.kill()
    done = crew.master.wait()
    assert done.code == 3, done.out + done.err
    last = done.out.splitlines()[-1]
    assert last.startswith("UNKNOWN  no worker brought its share: nothing was measured, missing are ")
    assert last.count("users)") == 2


def test_a_worker_that_joins_late_takes_its_part_and_is_named(crew: Crew) -> None:
    late = crew.add_worker()
    crew.wait_until_all_work(3)
    report = whole(crew.end())
    assert len(report.workers) == 3
    assert all(worker.messages for worker in report.workers)
    (changed,) = doubts(report).values()
    name, _, said = changed.partition(" ")
    assert name in {worker.name for worker in report.workers}
    assert said.startswith("joined ")
    assert late.process.wait(TIMEOUT_S) == 0


def test_a_worker_that_is_told_to_leave_brings_its_share_first(crew: Crew) -> None:
    crew.workers[0].signal_all(signal.SIGTERM)
    assert crew.workers[0].process.wait(TIMEOUT_S) == 0
    crew.wait_until_more_is_recorded()
    report = whole(crew.end())
    assert len(report.workers) == 2
    assert report.counts["users"] > USERS  # those of the worker that left came back on the other
    (changed,) = doubts(report).values()
    assert " left " in changed
