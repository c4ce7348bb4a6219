"""The main job, in small: users, events, a verdict, a folder."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from streamgauge.core.contract import ATTACKED
from streamgauge.core.observation import Asked, Opened, Received
from streamgauge.core.recording import Recording
from streamgauge.core.stretch import unfolded
from tests.support.command import ROOT, Run

SHORT = ("--users", "40", "--duration", "4s", "--interval", "500ms")
BUSY = ("--users", "100", "--duration", "8s", "--interval", "500ms")  # more than 1,000 runs


@pytest.mark.parametrize("scenario", ["steady", "isolation"])
def test_a_correct_server_passes(streamgauge: Run, scenario: str) -> None:
    done = streamgauge("run", "--scenario", scenario, *SHORT)
    assert done.code == 0, done.out + done.err
    assert done.out.splitlines()[-1].startswith(f"PASS  {scenario}: ")
    report = done.report
    assert report.outcome == "pass"
    assert all(verdict.exercised for verdict in report.verdicts if verdict.rule not in ATTACKED)
    assert all(share.good == share.of > 0 for share in report.shares)
    assert {path.name for path in done.folder.iterdir()} >= {
        "report.json",
        "report.md",
        "junit.xml",
        "plan.toml",
        "recording",
    }


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_run_may_last_less_than_a_second(streamgauge: Run, processes: str) -> None:
    asked = ("--users", "2", "--spawn-rate", "100", "--interval", "50ms", "--processes", processes)
    counts = streamgauge("run", *asked, "--scenario", "burst", "--duration", "500ms").report.counts
    assert counts["requests"] <= 2 * 10 + 5  # in a second it would be 40


def test_everything_that_was_received_was_verified(streamgauge: Run) -> None:
    report = streamgauge("run", *SHORT).report
    exercised = {verdict.rule.value: verdict.exercised for verdict in report.verdicts}
    assert report.counts["users"] == 40
    assert exercised["protocol"] == report.counts["messages"]
    assert exercised["offset-contiguous"] == report.counts["events"] > 1000
    assert exercised["complete"] == report.counts["requests"] == report.counts["runs completed"]


def test_isolation_does_all_that_could_mix_users_up(streamgauge: Run, tmp_path: Path) -> None:
    """What the scenario is for: sockets are changed, runs cancelled, and some users only listen."""
    text = (ROOT / "scenarios" / "isolation.toml").read_text()
    for key, value in {"reopen": 2, "witness_share": 0.3, "duration": 6, "users": 30}.items():
        text, n = re.subn(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
        assert n == 1, key
    (tmp_path / "plan.toml").write_text(text.replace("interval = 2", "interval = 1"))
    done = streamgauge("run", "--plan", "plan.toml")
    assert done.code == 0, done.out + done.err
    counts = done.report.counts
    assert counts["users"] == 30
    assert counts["connections"] > counts["users"]
    assert counts["cancels"] > 0
    (path,) = done.folder.glob("recording/*.sgr")
    rows = Recording.of(path.read_bytes()).rows
    users = {row.conn: row.user for row in rows if isinstance(row, Opened)}
    speakers = {users[row.conn] for row in rows if isinstance(row, Asked)}
    assert 0 < len(speakers) < 30  # the others are witnesses
    assert counts["requests"] % 2 == 0  # every one has a twin


def test_only_what_ends_with_its_read_has_an_exact_time(streamgauge: Run) -> None:
    done = streamgauge("run", *SHORT)
    (path,) = done.folder.glob("recording/*.sgr")
    rows = [row for row in unfolded(Recording.of(path.read_bytes()).rows) if isinstance(row, Received)]
    exact = [row for row in rows if row.exact]
    report = done.report
    assert 0 < report.counts["exact stamps"] == len(exact) < report.counts["messages"] == len(rows)
    times = {duration.name: duration.n for duration in report.durations}
    assert times["delivery latency"] == sum(row.event.emitted_ns > 0 for row in exact)
    assert times["delivery latency"] + times["delivery latency, upper bounds"] == report.counts["events"]


@pytest.mark.parametrize(
    ("scenario", "fault", "must", "may"),
    [
        ("steady", "drop-thinking", "thinking-present", set()),
        ("steady", "swap:0.01", "seq-contiguous", {"offset-contiguous"}),
        (
            "isolation",
            "shared-global:0.01",
            "isolation-canary",
            {"isolation-envelope", "seq-contiguous", "complete", "echo"},
        ),
    ],
)
def test_a_faulty_server_fails_by_the_rule_it_breaks(
    streamgauge: Run, scenario: str, fault: str, must: str, may: set[str]
) -> None:
    done = streamgauge("run", "--scenario", scenario, "--fault", fault, *BUSY)
    assert done.code == 1, done.out + done.err
    assert must in done.failing
    assert done.failing <= {must} | may
    report = done.report
    verdict = next(verdict for verdict in report.verdicts if verdict.rule == must)
    assert verdict.findings[0].witnesses
    assert any(witness.guilty for witness in verdict.findings[0].witnesses)
    assert must in done.out
    (committed,) = report.faults
    assert committed.struck
    failures = ET.parse(done.folder / "junit.xml").findall(".//failure")
    assert len(failures) >= len(done.failing)


@pytest.mark.parametrize("fault", ["drop-thinking:0.1", "swap:0.01"])
def test_every_strike_is_found_and_nothing_else(streamgauge: Run, fault: str) -> None:
    report = streamgauge("run", "--fault", fault, *BUSY).report
    assert sum(verdict.found for verdict in report.verdicts) == report.faults[0].struck


def test_the_leaking_user_and_the_receiving_one_are_both_named(streamgauge: Run) -> None:
    report = streamgauge("run", "--scenario", "isolation", "--fault", "shared-global:0.05", *BUSY).report
    leaks = [f for v in report.verdicts if v.rule.value.startswith("isolation") for f in v.findings]
    assert leaks
    assert all(leak.user and leak.other and leak.user != leak.other for leak in leaks)
