"""What ends early is concluded all the same, and says so."""

import signal
import subprocess
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streamgauge.cli.app import app
from streamgauge.report.render_json import read_json
from tests.support.command import SECRET, Done, Server, Start

ENDLESS = """
users = 20
spawn_rate = 50
duration = 60
slack = 40
arrivals = { kind = "constant", interval = 2 }
personas = [
    { name = "quick" },
    { name = "slow", script = [{ do = "sleep", ms = 60000 }, { do = "result" }] },
]
"""  # half of its runs outlast the tests
LONG = ("--users", "30", "--duration", "60s", "--interval", "500ms")


def server_of(command: int) -> int:
    """The process of the server that a command started."""
    found = subprocess.run(
        ["pgrep", "--parent", str(command), "--full", "reference_server"],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return int(found.stdout)


def alive(process: int) -> bool:
    """Whether a process still does something: who was killed may wait a while to be buried."""
    for _ in range(50):
        status = Path(f"/proc/{process}/stat")
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return False
        time.sleep(0.1)
    return True


def assert_checked_alike(live: Done) -> None:
    """Its recordings tell what the report does: when it was, who measured, and that it was cut short."""
    again = CliRunner().invoke(app, ["check", str(live.folder), "--json"])
    assert again.exit_code == live.code
    report = read_json(again.output.encode())
    assert report.cut_short
    assert report.workers == live.report.workers
    assert report.environment.started == live.report.environment.started


def test_ctrl_c_drains_and_marks_the_report(start: Start) -> None:
    running = start("streamgauge", "run", *LONG)
    running.wait_until_events_flow()
    running.interrupt()
    done = running.wait()
    assert done.code == 0, done.out + done.err
    report = done.report
    assert report.cut_short
    assert report.counts.get("runs abandoned", 0) == 0
    assert report.counts["requests"] == report.counts["runs completed"]
    assert "cut short" in done.out.splitlines()[-1]
    assert_checked_alike(done)


def test_ctrl_c_with_several_processes_loses_no_worker(start: Start) -> None:
    running = start("streamgauge", "run", "--processes", "2", *LONG)
    running.wait_until_events_flow()
    running.interrupt()
    done = running.wait()
    assert done.code == 0, done.out + done.err
    assert done.report.cut_short
    assert len(done.report.workers) == 2
    assert_checked_alike(done)


@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize("later_s", [0.05, 0.3])
def test_the_second_ctrl_c_ends_the_drain_and_loses_nothing(
    start: Start, tmp_path: Path, processes: str, later_s: float
) -> None:
    (tmp_path / "plan.toml").write_text(ENDLESS)
    running = start("streamgauge", "run", "--plan", "plan.toml", "--processes", processes)
    running.wait_until_events_flow()
    running.interrupt()
    time.sleep(later_s)
    running.interrupt()
    pressed_s = time.monotonic()
    done = running.wait()
    assert time.monotonic() - pressed_s < 15, "it waited for the runs"
    assert done.code == 0, done.out + done.err
    report = done.report
    assert report.cut_short
    assert len(report.workers) == int(processes)
    assert report.counts["runs abandoned"] > 0
    assert done.out.splitlines()[-1].startswith("PASS")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_who_is_told_to_end_drains_reports_and_leaves_no_server(start: Start, number: int) -> None:
    running = start("streamgauge", "run", *LONG)
    running.wait_until_events_flow()
    server = server_of(running.process.pid)
    running.process.send_signal(number)
    done = running.wait()
    assert done.code == 0, done.out + done.err
    assert done.report.cut_short
    assert done.report.counts.get("runs abandoned", 0) == 0
    assert not alive(server)


def test_a_server_does_not_outlive_a_command_that_was_killed(start: Start) -> None:
    running = start("streamgauge", "run", *LONG)
    running.wait_until_events_flow()
    server = server_of(running.process.pid)
    running.process.kill()
    running.wait()  # until the generator has concluded, who holds its output
    assert not alive(server)


def test_ctrl_c_before_the_run_leaves_one_line_and_nothing_else(start: Start, tmp_path: Path) -> None:
    running = start("streamgauge", "run", *LONG)
    while not list(tmp_path.glob("results/*/plan.toml")):
        time.sleep(0.02)
    time.sleep(0.1)
    running.interrupt()
    done = running.wait()
    assert done.code == 130
    assert done.err == "streamgauge: interrupted before there was anything to judge\n"
    assert not list(done.results.iterdir())


def test_a_run_ends_when_its_server_died(start: Start, server: Server) -> None:
    running = start("streamgauge", "run", "--target", server.address, *LONG, secret=SECRET)
    running.wait_until_events_flow()
    server.process.send_signal(signal.SIGKILL)
    died_s = time.monotonic()
    done = running.wait()
    assert time.monotonic() - died_s < 30, "it idled until its end"
    assert done.code == 3, done.out + done.err
    report = done.report
    assert (report.outcome, report.cut_short) == ("unknown", True)
    doubts = {doubt.name: doubt.value for doubt in report.doubts}
    assert doubts["stopped early"] == "nobody was connected any more"
    assert doubts["connections lost"].startswith("30 closed by the server")
    assert report.counts["unsent: the connection was lost"] > 30  # about 2 a second of each user
