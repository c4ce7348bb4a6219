"""A measurement that may not be trusted says so, and what it voids is unknown: exit 3."""

from pathlib import Path

from streamgauge.report.render_json import read_json
from tests.support.command import Run

LOAD = ("--users", "20", "--duration", "6s", "--interval", "500ms")
LIGHT = ("--users", "4", "--duration", "8s", "--interval", "2s")  # two a second: the hog takes 40 %
STRICT = """
thresholds = ["p50(first_event) < 1h", "rate(leaks) == 0"]
[doubts]
generator_cpu = 0.0001
"""
HOG = """
import time
from streamgauge.load import Asker, scenario

scenario(__file__)

class Hog(Asker):
    def ask(self, due_ns, **overrides):
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            pass
        return super().ask(due_ns, **overrides)
"""


def test_a_generator_beyond_its_limit_makes_times_unknown_and_says_what_to_do(
    streamgauge: Run, tmp_path: Path
) -> None:
    (tmp_path / "plan.toml").write_text(STRICT)
    done = streamgauge("run", "--plan", "plan.toml", *LOAD)
    assert done.code == 3, done.out + done.err
    assert "generator CPU" in done.out
    said = " ".join(done.out.split())
    assert "this voids the latency; the generator is the bottleneck: more --processes, fewer users" in said
    time, leaks = done.report.thresholds
    assert (time.outcome, time.void) == ("unknown", "generator CPU")
    assert leaks.outcome == "pass"  # to see a leak takes no clock
    again = read_json(streamgauge("check", str(done.folder), "--json").out.encode())
    assert again.doubts == done.report.doubts


def test_a_users_own_code_that_hogs_the_processor_is_found(streamgauge: Run, tmp_path: Path) -> None:
    (tmp_path / "hog.py").write_text(HOG)
    (tmp_path / "hog.toml").write_text('scenario = "hog"\nthresholds = ["p50(first_event) < 1h"]\n')
    done = streamgauge("run", "--scenario", "hog.py", *LIGHT)
    assert done.code == 3, done.out + done.err
    names = {doubt.name for doubt in done.report.doubts}
    assert "loop lag" in names, done.out
