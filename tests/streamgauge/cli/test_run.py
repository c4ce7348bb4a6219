"""The plan that `streamgauge run` comes to, before it is run."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from streamgauge.cli import run
from streamgauge.cli.app import app
from streamgauge.plan import Plan

AT_TARGET = ("--target", "ws://127.0.0.1:8765/ws")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """What would be run."""
    given: list[Plan] = []

    def measure(_locustfile: Path, plan: Plan, *_: object) -> SimpleNamespace:
        given.append(plan)
        return SimpleNamespace(code=0)

    monkeypatch.setattr(run, "measure", measure)
    return given


def plan_of(measured: list[Plan], *words: str) -> Plan:
    done = CliRunner().invoke(app, ["run", *words])
    assert done.exit_code == 0, done.output
    return measured.pop()


@pytest.mark.parametrize("scenario", ["churn", "stalled"])
def test_a_target_may_let_linger_what_the_server_of_the_scenario_may_not(
    measured: list[Plan], scenario: str
) -> None:
    own = plan_of(measured, "--scenario", scenario)
    assert (own.linger, own.serve[-2:]) == (10, ("--drain", "0"))
    assert plan_of(measured, "--scenario", scenario, *AT_TARGET).linger == Plan().linger


@pytest.mark.parametrize(("scenario", "measures"), [("churn", False), ("stalled", True)])
def test_churn_needs_no_scripts_of_a_target_and_stalled_does(
    measured: list[Plan], scenario: str, *, measures: bool
) -> None:
    assert plan_of(measured, "--scenario", scenario).measures
    assert plan_of(measured, "--scenario", scenario, *AT_TARGET).measures is measures


def test_who_says_how_long_it_may_linger_is_believed(measured: list[Plan], tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('scenario = "churn"\nlinger = 9\nserve = ["--window", "2"]\n')
    assert plan_of(measured, "--plan", str(mine), *AT_TARGET).linger == 9
