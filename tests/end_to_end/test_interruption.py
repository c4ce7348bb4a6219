"""What ends early is concluded all the same, and says so."""

import signal

from tests.support.command import SECRET, Server, Start

LONG = ("--users", "30", "--duration", "60s", "--interval", "500ms")


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


def test_ctrl_c_with_several_processes_loses_no_worker(start: Start) -> None:
    running = start("streamgauge", "run", "--processes", "2", *LONG)
    running.wait_until_events_flow()
    running.interrupt()
    done = running.wait()
    assert done.code == 0, done.out + done.err
    assert done.report.cut_short
    assert len(done.report.workers) == 2


def test_a_server_that_dies_makes_the_verdict_unknown(start: Start, server: Server) -> None:
    running = start(
        "streamgauge", "run", "--target", server.address, *LONG, "--duration", "6s", secret=SECRET
    )
    running.wait_until_events_flow()
    server.process.send_signal(signal.SIGKILL)
    done = running.wait()
    assert done.code == 3, done.out + done.err
    report = done.report
    assert report.outcome == "unknown"
    assert any(doubt.name == "connections lost" for doubt in report.doubts)
