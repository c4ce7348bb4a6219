import io
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.apart import INSIDE

if TYPE_CHECKING or INSIDE:
    from gevent import sleep

    from streamgauge.load import progress
    from streamgauge.load.bench import Snapshot
    from streamgauge.load.progress import Progress, line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_says_how_far_the_run_is() -> None:
    said = line(Snapshot(users=1_000, events=1_234_567, findings=2, runs=9), 45_678.4, 12.4)
    assert said == "1,000 users  45,678 events/s  1,234,567 events verified  2 findings  12 s left"


def test_one_finding_and_no_time_left() -> None:
    assert line(Snapshot(findings=1), 0, -3) == (
        "0 users  0 events/s  0 events verified  1 finding  draining"
    )


def test_snapshots_of_workers_add_up() -> None:
    assert Snapshot(1, 20, 0, 4) + Snapshot(2, 30, 1, 5) == Snapshot(3, 50, 1, 9)


def test_a_terminals_line_is_rewritten_and_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Terminal()
    monkeypatch.setattr(sys, "stderr", out)
    monkeypatch.setattr(progress, "_TERMINAL_S", 0.02)
    showing = Progress(lambda: Snapshot(users=7), 60)
    sleep(0.1)
    showing.stop()
    assert "\n" not in out.getvalue()
    assert out.getvalue().count("\r\x1b[2K7 users  0 events/s") >= 2
    assert out.getvalue().endswith("\r\x1b[2K")


def test_a_log_gets_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    monkeypatch.setattr(progress, "_LOG_S", 0.02)
    events = iter(range(0, 10_000, 100))
    showing = Progress(lambda: Snapshot(events=next(events)), 60)
    sleep(0.1)
    showing.stop()
    lines = out.getvalue().splitlines()
    assert len(lines) >= 2
    assert "\x1b" not in out.getvalue()
    rate = int(lines[1].split()[2].replace(",", ""))
    assert 1_000 <= rate <= 5_000  # 100 events in 0.02 s, or a bit more
