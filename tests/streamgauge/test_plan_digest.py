"""What the digest of a plan depends on: everything but where its target is."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from streamgauge.arrivals import Poisson
from streamgauge.attack_plan import AttackPlan
from streamgauge.core.contract import Rule
from streamgauge.core.doubt_limits import DoubtLimits
from streamgauge.persona import Persona
from streamgauge.plan import ELSEWHERE, Plan, digest, dump_plan, load_plan
from streamgauge.protocol.login import Login
from tests.support.full_plan import FULL

OTHER = {
    "scenario": "isolation",
    "users": 999,
    "processes": 2,
    "login": Login(kind="subprotocol"),
    "spawn_rate": 251.0,
    "duration": 31.0,
    "allow_target": ("bench.example.test",),
    "arrivals": Poisson(interval=3),
    "personas": (Persona(agent="sql"),),
    "stall": 2.0,
    "thresholds": ("p99(delivery) < 50ms",),
    "goodput": ("run < 5s",),
    "abort_on": ("findings > 100",),
    "doubts": DoubtLimits(steal=0.2),
    "attack": AttackPlan(pairs=7),
    "most_runs": 50,
    "record": "raw",
    "slice_runs": 2,
    "witness_share": 0.5,
    "reopen": 1.0,
    "silence": 11.0,
    "slack": 16.0,
    "grace": 2.0,
    "connect_timeout": 16.0,
    "max_message_bytes": 65_537,
    "required": (Rule.ECHO,),
    "faults": ("swap",),
    "seed": 2,
    "control": True,
    "linger": 71.0,
    "serve": ("--window", "5"),
}


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"target": "ws://b/"},
        {"target": "wss://a/", "ca_file": "b"},
        {"sources": ("10.0.0.2",)},
        {"server": "serve"},
    ],
)
def test_the_digest_leaves_out_where_the_target_is_and_how_it_is_reached(elsewhere: dict[str, Any]) -> None:
    assert digest(Plan(**elsewhere)) == digest(Plan(target="ws://a/")) == digest(Plan())


def test_the_digest_leaves_out_where_the_scenario_is() -> None:
    assert digest(Plan(scenario="../steady.py")) == digest(Plan(scenario="/a/steady.py")) == digest(Plan())


@pytest.mark.parametrize("key", OTHER)
def test_the_digest_depends_on_everything_else(key: str) -> None:
    assert digest(replace(Plan(), **{key: OTHER[key]})) != digest(Plan())


def test_there_is_nothing_else() -> None:
    assert {field.name for field in msgspec.structs.fields(Plan)} - OTHER.keys() == {*ELSEWHERE, "protocol"}


@pytest.mark.parametrize("plan", [Plan(), FULL, Plan(duration=30)], ids=["defaults", "full", "whole number"])
def test_the_digest_of_a_plan_is_that_of_its_file(plan: Plan) -> None:
    assert digest(load_plan(dump_plan(plan), "plan.toml")) == digest(plan)
