"""The whole assessment, against the reference server, servers of one's own, and no server at all."""

import json
import signal
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.end_to_end.test_ag_ui import ag_ui_server
from tests.support.command import SECRET, Done, Run, Server, Start

TIME = ("--time", "60s")
MINE = """
goodput = ["run < 30s"]
users = 20
personas = [
    { name = "plain", agent = "scripted", script = [{ do = "think" }, { do = "result" }] },
    { name = "failing", agent = "scripted", script = [{ do = "fail" }] },
]
"""


def lines(done: Done) -> dict[str, str]:
    """What is said of every look, by its name; the decision by its first word."""
    return dict(line.split(maxsplit=1) for line in done.out.splitlines() if line)


def suites(done: Done) -> set[str]:
    (folder,) = done.results.glob("*-assess-*")
    found = ET.parse(folder / "junit.xml").findall("testsuite")
    return {suite.get("name", "").split(":")[0] for suite in found}


@pytest.mark.parametrize(
    ("fault", "code", "decision", "reason"),
    [
        (None, 0, "GO  all 6 looks passed", ""),
        ("drop-thinking", 1, "NO-GO", "thinking-present"),
        ("swap:0.2", 1, "NO-GO", "seq-contiguous"),
        ("shared-global:0.2", 1, "NO-GO", "isolation"),
    ],
)
def test_an_assessment_decides(
    streamgauge: Run, fault: str | None, code: int, decision: str, reason: str
) -> None:
    arguments = ("--fault", fault) if fault else ()
    done = streamgauge("assess", *TIME, "--users", "30", *arguments)
    assert done.code == code, done.out + done.err
    last = done.out.splitlines()[-1]
    assert last.startswith(decision)
    assert reason in last
    assert len(last) < 250
    (folder,) = done.results.glob("*-assess-*")
    assert decision in (folder / "report.md").read_text()
    assert suites(done) == {"validate", "steady", "isolation", "burst", "interrupt", "overhead"}
    trend = [json.loads(line) for line in (done.results / "trend.jsonl").read_text().splitlines()]
    assert [line["scenario"] for line in trend] == ["steady", "isolation", "burst", "interrupt", "overhead"]
    assert all((done.results / line["folder"] / "report.json").is_file() for line in trend)
    assert not list(folder.glob("trend.jsonl"))


def test_overhead_counts_only_where_the_target_allows_it(streamgauge: Run, server: Server) -> None:
    done = streamgauge("assess", "--target", server.address, *TIME, "--users", "20", secret=SECRET)
    assert done.code == 0, done.out + done.err
    assert "no measuring controls" in done.out
    assert done.out.splitlines()[-1] == "GO  all 5 looks passed, 1 not allowed"


def test_what_a_protocol_does_not_allow_is_left_out_and_named(streamgauge: Run) -> None:
    with ag_ui_server() as target:
        done = streamgauge("assess", *target[:4], *TIME, "--users", "10", secret="x")
    assert done.code == 0, done.out + done.err
    said = lines(done)
    assert said["interrupt"] == "not measured: the protocol 'ag-ui' has no message to cancel or to speak"
    assert said["overhead"] == "not measured: the target is under no measuring controls"
    assert said["GO"] == "all 4 looks passed, 2 not allowed"
    reports = done.results.glob("*-assess-*/*/report.json")
    assert {json.loads(path.read_bytes())["plan"]["protocol"] for path in reports} == {"ag-ui"}


def test_a_plan_says_how_users_log_in_and_none_needs_no_secret(streamgauge: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('target = "ws://127.0.0.1:1/ws"\nlogin = { kind = "none" }\n')
    done = streamgauge("assess", "--plan", "mine.toml")
    assert done.code == 2
    assert "cannot connect" in done.err.splitlines()[-1]


def test_a_plan_says_whose_agents_are_asked_and_what_is_demanded(streamgauge: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('scenario = "stream"\n' + MINE)
    flags = ("--threshold", "goodput >= 100000/s", "--allow-target", "bench.example.test")
    done = streamgauge("assess", "--plan", "mine.toml", *flags, *TIME)
    assert done.code == 1, done.out + done.err
    assert "its scenario stream is not among them: `streamgauge run --plan mine.toml` runs it" in done.err
    said = lines(done)
    assert said["validate"] == "every expected event came, and no rule was broken"  # no tool was expected
    assert "goodput >= 100000/s" in said["steady"]
    for path in done.results.glob("*-assess-*/*/report.json"):
        report = json.loads(path.read_bytes())
        assert report["plan"]["users"] == 20
        assert report["plan"]["allow_target"] == ["bench.example.test"]
        assert {persona["name"].split(",")[0] for persona in report["plan"]["personas"]} == {
            "plain",
            "failing",
        }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--target", "ws://192.0.2.1:80/ws"), "--allow-target 192.0.2.1"),
        (("--time", "0s"), "--time 0s: its 6 looks need "),
        (("--time", "30s", "--users", "5000"), "--time 30s: its 6 looks need "),
        (("--users", "0"), "--users: "),
        (("--threshold", "p99(nothing) < 1s"), "--threshold: "),
        (("--fault", "nosuch"), "nosuch"),
        (("--plan", "nothing.toml"), "nothing.toml: cannot be read"),
        (("--plan", "wrong.toml", "--threshold", "p99(run) < 1s"), "streamgauge: wrong.toml: Object"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_measured(
    streamgauge: Run, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    (tmp_path / "wrong.toml").write_text("nosuch = 1\n")
    done = streamgauge("assess", *arguments, secret=SECRET)
    assert done.code == 2, done.out + done.err
    assert says in done.err.splitlines()[-1]
    assert "validate: " not in done.err
    assert not done.results.exists()


def test_what_was_judged_before_ctrl_c_is_kept(start: Start) -> None:
    running = start("streamgauge", "assess", *TIME, "--users", "20")
    while not list(running.where.glob("results/*-assess-*/*-isolation-*/recording/*.sgr")):
        time.sleep(0.1)
    time.sleep(1)
    running.interrupt()
    done = running.wait()
    assert done.code == 3, done.out + done.err
    said = lines(done)
    assert said["steady"].startswith("steady: ")
    assert said["isolation"].startswith("interrupted: ")
    assert said["burst"] == "interrupted before there was anything to judge"
    assert done.out.splitlines()[-1].startswith("NO-GO, for it is not known  isolation: interrupted: ")
    (folder,) = done.results.glob("*-assess-*")
    found = ET.parse(folder / "junit.xml")
    of_look = [suite for suite in found.iter("testsuite") if suite.get("name", "").startswith("isolation:")]
    assert any(suite.findall("testcase/error") for suite in of_look)  # it is not green
    assert suites(done) == {"validate", "steady", "isolation", "burst", "interrupt", "overhead"}


def test_ctrl_c_before_anything_was_judged_leaves_nothing(start: Start) -> None:
    running = start("streamgauge", "assess")
    assert running.process.stderr is not None
    running.process.stderr.readline()  # what it will look at
    time.sleep(0.2)
    running.signal_all(signal.SIGINT)
    done = running.wait()
    assert done.code == 130
    assert done.err == "streamgauge: interrupted before there was anything to judge\n"
    assert not done.results.exists()
