"""What is demanded of a run besides its correctness: limits, each with its exit code."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from streamgauge.report.render_json import read_json
from tests.support.command import UNDOUBTED, Done, Run

SHORT = ("--plan", "plan.toml", "--users", "20", "--duration", "3s", "--interval", "500ms")


@pytest.fixture(autouse=True)
def plan(tmp_path: Path) -> Path:
    file = tmp_path / "plan.toml"
    file.write_text(UNDOUBTED)
    return file


def limited(streamgauge: Run, *thresholds: str) -> Done:
    return streamgauge("run", *SHORT, *(word for one in thresholds for word in ("--threshold", one)))


def test_a_threshold_that_holds_passes(streamgauge: Run) -> None:
    done = limited(streamgauge, "p50(delivery) < 10s", "rate(leaks) == 0", "goodput > 1/s")
    assert done.code == 0, done.out + done.err
    assert [result.outcome for result in done.report.thresholds] == ["pass"] * 3
    assert all(result.n > 0 and result.value is not None for result in done.report.thresholds)


def test_one_that_cannot_hold_fails_and_is_named_at_the_end(streamgauge: Run) -> None:
    done = limited(streamgauge, "p50(first_event) < 1us", "rate(leaks) == 0")
    assert done.code == 1, done.out + done.err
    assert done.out.splitlines()[-1].startswith("FAIL  p50(first_event) < 1us: ")
    assert any(line.startswith("p50(first_event)  < 1.00 µs  fail") for line in done.out.splitlines())
    (failure,) = ET.parse(done.folder / "junit.xml").findall(".//failure")
    assert failure.get("message", "").startswith("p50(first_event) < 1us: ")
    assert done.failing == set()


@pytest.mark.parametrize(
    ("threshold", "says"),
    [
        ("p99(latency) < 50ms", "--threshold: 'p99(latency) < 50ms': there is no such thing to measure"),
        ("p99(delivery) < 50", "a unit of time"),
    ],
)
def test_what_nobody_knows_is_a_usage_error(streamgauge: Run, threshold: str, says: str) -> None:
    done = limited(streamgauge, threshold)
    assert done.code == 2, done.out + done.err
    assert says in done.err
    assert "Traceback" not in done.err
    assert not done.results.exists()


def test_too_few_samples_are_no_pass(streamgauge: Run) -> None:
    done = limited(streamgauge, "p99.99(run) < 1h")
    assert done.code == 3, done.out + done.err
    last = done.out.splitlines()[-1]
    assert last.startswith("UNKNOWN  p99.99(run) < 1h: n = ")
    assert last.endswith(", needs 29,956")


def test_a_recording_comes_to_the_same(streamgauge: Run, plan: Path) -> None:
    plan.write_text(
        'goodput = ["first_event < 1us", "run < 1h"]\n'
        'thresholds = ["goodput_share > 50%", {limit = "p50(run) < 1us", level = "warn"}]\n' + UNDOUBTED
    )
    live = streamgauge("run", *SHORT, "--threshold", "p50(chunk_gap) < 10s")
    assert live.code == 1, live.out + live.err
    report = live.report
    assert report.goodput.of > 0
    assert report.goodput.beyond == {"first_event < 1us": report.goodput.of, "run < 1h": 0}
    assert [(r.threshold.level, r.outcome) for r in report.thresholds] == [
        *(("fail", "fail"), ("warn", "fail"), ("fail", "pass")),
    ]
    offline = streamgauge("check", str(live.folder), "--json")
    again = read_json(offline.out.encode())
    assert offline.code == 1
    assert (again.thresholds, again.goodput, again.streams) == (
        *(report.thresholds, report.goodput, report.streams),
    )
