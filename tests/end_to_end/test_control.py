"""`--control`: a run passes only where a leak, a loss and a swap beside it are all caught."""

from contextlib import suppress
from pathlib import Path

import pytest

from streamgauge.core.contract import Rule
from streamgauge.core.observation import Opened
from streamgauge.core.recording import Recording
from streamgauge.report.model import Report
from streamgauge.report.render_json import read_json
from tests.end_to_end.test_ag_ui import ag_ui_server
from tests.support.command import ROOT, SECRET, Run, Server, Start

SHORT = ("--users", "20", "--duration", "4s", "--interval", "500ms")
BLIND = {
    "leaks": "import streamgauge.protocol.observe as o; o.foreign = lambda *_: ''",
    "numbers": (
        "import streamgauge.core.checks.judge as j; from streamgauge.core.checks.sequence import departures;"
        "j.departures = lambda numbers: departures(range(1, len(numbers) + 1))"
    ),
    "proxy": "import streamgauge.rig.strikes as s; s.Strikes._strike = lambda *_, **__: None",
}


def caught(report: Report) -> dict[str, Rule | None]:
    assert report.control is not None
    assert report.control.problem == ""
    return {one.name: one.caught for one in report.control.seeded}


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_run_passes_whose_control_was_caught(streamgauge: Run, processes: str) -> None:
    done = streamgauge("run", "--control", *SHORT, "--processes", processes)
    assert done.code == 0, done.out + done.err
    assert caught(done.report) == {
        "leak": Rule.ISOLATION_CANARY,
        "loss": Rule.SEQ_CONTIGUOUS,
        "swap": Rule.SEQ_CONTIGUOUS,
    }
    assert done.out.count(": caught by ") == 3


def test_nothing_of_the_control_is_in_the_run(streamgauge: Run) -> None:
    done = streamgauge("run", "--control", *SHORT)
    users, strangers = (
        {row.user for path in folder.glob("recording/*.sgr") for row in opened(path)}
        for folder in (done.folder, done.folder / "control")
    )
    assert len(users) == done.report.counts["users"] == done.report.counts["connections"] == 20
    assert len(strangers) == 6
    assert not users & strangers
    assert sum(verdict.found for verdict in done.report.verdicts) == 0
    assert len((done.results / "trend.jsonl").read_text().splitlines()) == 1
    assert not list((done.folder / "control").glob("*.xml"))  # a CI would count its failures


def opened(path: Path) -> list[Opened]:
    return [row for row in Recording.of(path.read_bytes()).rows if isinstance(row, Opened)]


def test_a_protocol_without_numbers_shows_what_it_can_and_says_what_not(streamgauge: Run) -> None:
    with ag_ui_server() as target:
        done = streamgauge("run", "--scenario", "steady", "--control", *target, secret="x")
    assert done.code == 0, done.out + done.err
    seen = caught(done.report)
    assert seen.pop("leak") == Rule.ISOLATION_CANARY
    assert set(seen.values()) <= {Rule.PROTOCOL, Rule.TOOL_PAIRING}
    assert "this protocol does not count its events" in done.out


@pytest.mark.parametrize(
    ("blind", "missed"),
    [
        ("leaks", {"the leak was not caught"}),
        ("numbers", {"the loss was not caught", "the swap was not caught"}),
        ("proxy", {"the leak was not seeded", "the loss was not seeded", "the swap was not seeded"}),
    ],
)
def test_what_a_blind_checker_passes_is_invalid(
    start: Start,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    blind: str,
    missed: set[str],
) -> None:
    # elsewhere: who judges the recording again sees what the blind one did not
    elsewhere = tmp_path_factory.mktemp("blind")
    (elsewhere / "sitecustomize.py").write_text(BLIND[blind])
    monkeypatch.setenv("PYTHONPATH", str(elsewhere))
    done = start("streamgauge", "run", "--control", *SHORT, "--results", str(elsewhere / "results")).wait()
    assert done.code == 3, done.out + done.err
    (path,) = elsewhere.glob("results/*/report.json")
    report = read_json(path.read_bytes())
    (doubt,) = (doubt for doubt in report.doubts if doubt.name == "control")
    assert set(doubt.value.removeprefix("INVALID, ").split(", ")) == missed
    assert all(verdict.found == 0 for verdict in report.verdicts)  # without the control it would have passed
    assert "UNKNOWN" in done.out.splitlines()[-1]


def test_ctrl_c_ends_the_control_with_its_run(start: Start) -> None:
    running = start("streamgauge", "run", "--control", "--users", "20", "--duration", "60s")
    running.wait_until_events_flow()
    assert len(started_in(running.where)) > 3
    running.interrupt()
    done = running.wait()
    assert done.report.cut_short
    assert done.report.control is not None
    assert not started_in(running.where)


def started_in(folder: Path) -> list[str]:
    """The processes that work there, by their numbers."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if (process / "cwd").readlink() == folder:
                found.append(process.name)
    return found


def test_locust_alone_makes_none_and_says_so(start: Start, server: Server, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text("users = 5\nspawn_rate = 5\nduration = 2\ncontrol = true\n")
    steady = str(ROOT / "scenarios" / "steady.py")
    command = ("-f", steady, "--plan", "plan.toml", "--headless", "--host", server.address, "-t", "2s")
    done = start("locust", *command, "-u", "5", "-r", "5", secret=SECRET).wait()
    assert done.code == 3, done.out + done.err
    assert "control: INVALID, none was made" in done.out
