"""Scenarios are plain Locust files: alone, with workers, with Locust's web page."""

import re
import signal
import time
from urllib.request import Request, urlopen

import pytest

from tests.support.command import ROOT, SECRET, Server, Start, free_port

SHORT = ("--headless", "-u", "20", "-r", "20", "-t", "4s")


def locustfile(scenario: str) -> str:
    return str(ROOT / "scenarios" / f"{scenario}.py")


def two_processes() -> tuple[str, ...]:
    """Two workers on a port of their own: tests run side by side, and on Locust's they would meet."""
    port = str(free_port())
    return ("--processes", "2", "--master-bind-port", port, "--master-port", port)


@pytest.mark.parametrize("scenario", ["steady", "isolation"])
def test_a_scenario_runs_as_a_locust_file(start: Start, server: Server, scenario: str) -> None:
    done = start("locust", "-f", locustfile(scenario), "--host", server.address, *SHORT, secret=SECRET).wait()
    assert done.code == 0, done.out + done.err
    report = done.report
    assert report.counts["requests"] == report.counts["runs"] > 0
    assert report.counts.get("runs abandoned", 0) == 0, "it did not drain"
    assert done.out.splitlines()[-1].startswith("PASS")


def test_workers_of_one_command_are_merged(start: Start, server: Server) -> None:
    done = start(
        "locust",
        "-f",
        locustfile("steady"),
        "--host",
        server.address,
        *two_processes(),
        *SHORT,
        secret=SECRET,
    ).wait()
    assert done.code == 0, done.out + done.err
    report = done.report
    assert len(report.workers) == len(report.recordings) == 2
    assert report.counts["users"] == report.counts["connections"] == 20
    assert sum(worker.messages for worker in report.workers) == report.counts["messages"]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_everybody_loses_no_worker(start: Start, server: Server, stop: int) -> None:
    command = ("-f", locustfile("steady"), "--host", server.address, "--headless", "-u", "20", "-t", "60s")
    running = start("locust", *command, "-r", "20", *two_processes(), secret=SECRET)
    running.wait_until_events_flow()
    running.signal_all(stop)
    done = running.wait()
    assert done.code == 0, done.out + done.err
    assert done.report.cut_short
    assert len(done.report.workers) == 2


def test_without_a_secret_nothing_begins(start: Start, server: Server) -> None:
    done = start("locust", "-f", locustfile("steady"), "--host", server.address, *SHORT).wait()
    assert done.code == 2
    assert "streamgauge: no secret: set STREAMGAUGE_SECRET to the target's own" in done.err
    assert not done.results.exists()


def test_master_and_workers_of_their_own(start: Start, server: Server) -> None:
    port = str(free_port())
    master = start(
        "locust", "-f", locustfile("steady"), "--host", server.address, *SHORT, "--master",
        "--master-bind-port", port, "--expect-workers", "2",
    )  # fmt: skip
    for _ in range(2):
        start("locust", "-f", locustfile("steady"), "--worker", "--master-port", port, secret=SECRET)
    done = master.wait()
    assert done.code == 0, done.out + done.err
    assert len(done.report.workers) == 2
    assert done.report.counts["requests"] == done.report.counts["runs"] > 0


def test_the_web_page_starts_and_stops_runs(start: Start, server: Server) -> None:
    port = str(free_port())
    locust = start(
        "locust", "-f", locustfile("steady"), "--host", server.address, "--web-port", port, secret=SECRET
    )
    page = f"http://127.0.0.1:{port}"
    for _ in range(100):
        try:
            assert "locust" in urlopen(page, timeout=5).read().decode().lower()
            break
        except OSError:
            time.sleep(0.2)
    urlopen(Request(f"{page}/swarm", data=b"user_count=10&spawn_rate=10", method="POST"), timeout=10)
    time.sleep(3)
    stats = urlopen(f"{page}/stats/requests", timeout=5).read().decode()
    assert re.search(r'"user_count":\s*10', stats)
    urlopen(Request(f"{page}/stop", method="POST"), timeout=60)
    locust.interrupt()
    done = locust.wait()
    assert done.report.outcome == "pass"
    assert not done.report.cut_short
