"""The loop alone: which runs are started, and what becomes of their ends."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from streamgauge.cli import main


class Runs:
    """Stands in for the runs: what was started and waited for, and how each ends."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.commands: list[list[str]] = []
        self.trends: set[str] = set()
        self.codes: dict[str, int | type[BaseException]] = {}

    def start(self, command: list[str], env: dict[str, str], **_: Any) -> "Run":
        self.commands.append(command)
        self.trends.add(env["STREAMGAUGE_TREND"])
        side = Path(command[command.index("--results") + 1]).name
        self.log.append(f"start {side}")
        return Run(self, side)


class Run:
    def __init__(self, runs: Runs, side: str) -> None:
        self._runs, self._side = runs, side
        self.returncode = 0

    def communicate(self) -> tuple[str, None]:
        code = self._runs.codes.get(self._side, 0)
        self._runs.log.append(f"end {self._side}")
        if isinstance(code, type):
            raise code
        self.returncode = code
        return f"…\nstreamgauge: {self._side} ended with {code}\n", None

    def wait(self) -> None:
        self._runs.log.append(f"drain {self._side}")


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    runs = Runs()
    monkeypatch.setattr(subprocess, "Popen", runs.start)
    return runs


def launches(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["streamgauge", "launches", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_both_of_a_pair_run_at_once_in_an_order_drawn_by_lot(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert launches(monkeypatch, "pairs", "--n", "20", "--order-seed", "1") == 0
    pairs = [runs.log[at : at + 4] for at in range(0, 80, 4)]
    assert all({step.split()[0] for step in pair[:2]} == {"start"} for pair in pairs)
    assert 5 < sum(pair[0] == "start base" for pair in pairs) < 15


def test_each_side_has_its_server_and_all_else_is_for_both(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = ("--head", f"{sys.executable} --port 8002", "--head-target", "ws://127.0.0.1:8002/ws")
    launches(monkeypatch, "pairs", "--n", "1", *mine, "--users", "7", "--fault", "swap")
    by_side = {Path(command[command.index("--results") + 1]).name: command[4:] for command in runs.commands}
    assert by_side == {
        "base": ["--results", "pairs/base", "--users", "7", "--fault", "swap"],
        "head": [
            *("--server", f"{sys.executable} --port 8002", "--target", "ws://127.0.0.1:8002/ws"),
            *("--results", "pairs/head", "--users", "7", "--fault", "swap"),
        ],
    }


def test_all_runs_have_one_trend(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    launches(monkeypatch, "pairs", "--n", "2")
    assert runs.trends == {"pairs/trend.jsonl"}


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("nosuchcmd --port 0", "nosuchcmd: cannot be started (no such command)"),
        ('a "b', 'a "b: no command (No closing quotation)'),
    ],
)
@pytest.mark.parametrize("option", ["--base", "--head"])
def test_a_command_that_is_none_is_found_before_anything_is_started(
    runs: Runs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    option: str,
    command: str,
    says: str,
) -> None:
    assert launches(monkeypatch, "pairs", option, command) == 2
    assert not runs.commands
    assert capsys.readouterr().err == f"streamgauge: {option} {says}\n"


def test_findings_end_nothing(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.codes = {"base": 1, "head": 3}
    assert launches(monkeypatch, "pairs", "--n", "2") == 0
    assert len(runs.commands) == 4


def test_what_the_user_can_mend_ends_it_at_once(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs.codes = {"head": 2}
    assert launches(monkeypatch, "pairs", "--n", "9") == 2
    assert len(runs.commands) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "streamgauge: pair 1, head: head ended with 2"


def test_a_run_that_left_no_report_is_passed_over_and_told(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.codes = {"base": 4}
    assert launches(monkeypatch, "pairs", "--n", "3") == 4
    assert len(runs.commands) == 6


def test_ctrl_c_waits_until_the_runs_have_drained(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.codes = {"base": KeyboardInterrupt, "head": KeyboardInterrupt}
    assert launches(monkeypatch, "pairs") != 0
    assert sorted(runs.log[-2:]) == ["drain base", "drain head"]
