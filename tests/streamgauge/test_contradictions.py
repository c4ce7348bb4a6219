from pathlib import Path
from typing import Any

import pytest

from streamgauge.arrivals import Constant, Lockstep, Poisson, Steps
from streamgauge.contradictions import contradictions, ineffective
from streamgauge.distribution import Exponential, Uniform
from streamgauge.persona import Persona
from streamgauge.plan import Plan, load_plan
from streamgauge.protocol.login import Login
from streamgauge.script import Result, Stream
from tests.support.command import ROOT

SCENARIOS = sorted((ROOT / "scenarios").glob("*.toml"))
STREAMS = (Stream(chunks=5), Result())
THINKING = Persona(think=Uniform(low=30, high=99))


def said(plan: Plan, scenario: str = "steady") -> list[str]:
    """What would do nothing, without the advice."""
    return [problem.split(":")[0] for problem in ineffective(plan, scenario)]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_no_scenario_s_own_plan_is_without_effect(path: Path) -> None:
    assert said(load_plan(path.read_text(encoding="utf-8"), path.name), path.stem) == []


@pytest.mark.parametrize(
    ("scenario", "keys", "problems"),
    [
        ("steady", {"witness_share": 0.1, "reopen": 1}, ["witness_share", "reopen"]),
        ("isolation", {"witness_share": 0.1, "reopen": 1}, []),
        ("", {"witness_share": 0.1, "reopen": 1}, []),  # a user's own may use them
        ("steady", {"login": Login(kind="none")}, ["login"]),
        ("steady", {"login": Login(audience="us")}, ["login"]),
        ("steady", {"login": Login(kind="subprotocol", claims={"tenant": "a"})}, []),
        ("overhead", {"users": 10, "slice_runs": 2, "most_runs": 159}, ["most_runs"]),
        ("overhead", {"users": 10, "slice_runs": 2, "most_runs": 160}, []),
        ("overhead", {"users": 10, "slice_runs": 2}, []),
        ("interrupt", {}, ["personas"]),
        ("interrupt", {"personas": (Persona(), Persona(leave_share=0.1))}, []),
        ("stream", {}, ["personas"]),
        ("stream", {"personas": (Persona(), Persona(script=STREAMS))}, []),
        ("steady", {"arrivals": Lockstep(interval=30.1)}, ["arrivals.interval"]),
        ("steady", {"arrivals": Lockstep(interval=30)}, []),
        ("steady", {"users": 2, "arrivals": Poisson(interval=61)}, ["arrivals.interval"]),
        ("steady", {"users": 2, "arrivals": Constant(interval=61)}, ["arrivals.interval"]),
        ("steady", {"users": 2, "arrivals": Constant(interval=60)}, []),  # one of them asks
        ("steady", {"arrivals": Steps(intervals=(2, 1), every=30)}, ["arrivals.every"]),
        ("steady", {"arrivals": Steps(intervals=(2, 1), every=29)}, []),
        ("steady", {"arrivals": Steps(intervals=(2,), every=30)}, []),
        ("steady", {"personas": (Persona(), THINKING)}, ["personas[1].think"]),
        ("steady", {"personas": (Persona(think=30),)}, ["personas[0].think"]),
        ("steady", {"personas": (Persona(think=Exponential(mean=99)), Persona(think=29))}, []),
        ("steady", {"personas": (Persona(think=1),), "arrivals": Lockstep(interval=99)}, []),  # closed loop
    ],
)
def test_what_would_do_nothing_is_said(scenario: str, keys: dict[str, Any], problems: list[str]) -> None:
    assert said(Plan(duration=30, **keys), scenario) == problems


def test_how_another_server_lets_users_in_and_answers_is_not_known() -> None:
    nobody = Login(kind="none")
    assert said(Plan(login=nobody, target="ws://h/"), "stream") == []
    assert said(Plan(login=nobody, server="serve"), "stream") == []


def test_who_thinks_asks_no_oftener_than_runs_end() -> None:
    arrivals = Constant(interval=0.1)
    assert (
        list(contradictions(Plan(users=10_000, spawn_rate=1_000, arrivals=arrivals, personas=(THINKING,))))
        == []
    )
