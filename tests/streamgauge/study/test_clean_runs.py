"""Clean runs: what is a false alarm, what is no pass either, and that every load is a plan."""

from collections.abc import Callable

import msgspec
import pytest

from streamgauge.cli.scenarios import find
from streamgauge.core.contract import Rule
from streamgauge.core.finding import VERDICT, Doubt, Finding, Outcome
from streamgauge.plan import make_plan
from streamgauge.report.model import Report
from streamgauge.study.clean_runs import TROUBLES, CleanRun, hold, rate_bound, trouble
from streamgauge.study.detection_load import Load
from streamgauge.study.fault_table import ROWS

Make = Callable[..., Report]

LOADS = {
    **{f"clean: {one.name}": one.load for one in TROUBLES},
    **{row.name: row.full for row in ROWS},
    **{f"{row.name}, rare": row.rare for row in ROWS if row.rare is not None},
}


@pytest.mark.parametrize("load", LOADS.values(), ids=list(LOADS))
def test_every_load_is_a_plan(load: Load) -> None:
    beside = msgspec.toml.decode(find(load.scenario).with_suffix(".toml").read_bytes())
    plan = make_plan(load.plan(beside, seed=7))
    assert (plan.scenario, plan.seed) == (load.scenario, 7)
    assert plan.users / plan.spawn_rate < plan.duration


def test_what_a_scenarios_users_are_is_kept_where_only_one_thing_is_changed() -> None:
    load = Load("isolation", {"users": 3}, {"cancel_share": 0.6})
    values = load.plan({"users": 9, "personas": [{"prompts": ["why?"], "cancel_share": 0.1}]})
    assert values == {"users": 3, "personas": [{"prompts": ["why?"], "cancel_share": 0.6}]}
    assert load.plan({})["personas"] == [{"cancel_share": 0.6}]


def test_a_run_that_passes_is_clean(make: Make) -> None:
    run = hold(0, make())
    assert (run.outcome, run.trouble, run.events, run.why) == ("pass", "none", 12_000, ())


def test_a_run_that_fails_is_a_false_alarm(make: Make) -> None:
    run = hold(1, make(Finding(Rule.ECHO, "another request", "u1", 1, 1)))
    assert run.outcome == "fail"
    assert run.trouble == TROUBLES[1].name
    assert "echo" in run.why[0]


def test_a_doubted_run_is_no_pass(make: Make) -> None:
    run = hold(0, make(doubts=[Doubt("steal", "9 %", "5 %", "wait", VERDICT)]))
    assert run.outcome == "unknown"
    assert "steal" in run.why[0]


def test_a_small_run_tells_nothing(make: Make) -> None:
    run = hold(0, make(counts={"events": 999}))
    assert (run.outcome, run.why) == ("unknown", ("999 events, and 1,000 are needed",))
    assert hold(0, make(counts={"events": 1_000})).outcome == "pass"


def test_troubles_take_turns() -> None:
    assert trouble(0) == trouble(len(TROUBLES)) == TROUBLES[0]
    assert [trouble(n) for n in range(len(TROUBLES))] == list(TROUBLES)


def test_no_alarm_in_300_runs_bounds_the_rate_at_1_percent() -> None:
    runs = [CleanRun(n, "none", Outcome.PASS) for n in range(300)]
    assert 0.0099 < rate_bound(runs) < 0.01
