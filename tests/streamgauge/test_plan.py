import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from streamgauge.arrivals import Lockstep, Poisson, Spike
from streamgauge.core.contract import Rule
from streamgauge.core.doubt_limits import DoubtLimits
from streamgauge.core.threshold import Level
from streamgauge.distribution import LogNormal
from streamgauge.persona import Persona
from streamgauge.plan import ELSEWHERE, Graded, Plan, PlanError, digest, dump_plan, load_plan, make_plan
from streamgauge.script import Result, Sleep
from tests.support.command import ROOT

SCENARIOS = sorted((ROOT / "scenarios").glob("*.toml"))
FULL = Plan(
    scenario="isolation",
    target="wss://[::1]:8765/ws?room=1",
    ca_file="/etc/ca.pem",
    sources=("10.0.0.2", "::1"),
    users=3,
    spawn_rate=0.5,
    duration=90,
    arrivals=Lockstep(interval=1),
    personas=(
        Persona(prompts=('Say "no"\n', "Grüße\t\x01 ☃"), cancel_share=1, think=LogNormal(median=2, sigma=1)),
        Persona(name="other", script=(Sleep(ms=20), Result())),
    ),
    goodput=("first_event < 500ms",),
    abort_on=("findings > 100",),
    doubts=DoubtLimits(steal=0.5, slip_p99=1),
    thresholds=("p99(delivery) < 50ms", Graded("goodput_share > 99.9%", Level.WARN)),
    allow_target=("bench.example.test",),
    required=(Rule.ECHO,),
    faults=("swap:0.01", "drop-thinking"),
    seed=2**63 - 1,
)


# Validation


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"users": 0}, "users: Expected `int` >= 1"),
        ({"users": "5"}, "users: Expected `int`, got `str`"),
        (
            {"users": 10, "spawn_rate": 1, "duration": 9},
            "users: 10 of them, 1 a second (spawn_rate), are not all",
        ),
        ({"duration": 0}, "duration: Expected `float` > 0.0"),
        ({"duration": float("inf")}, "duration: Expected `float` <= 1000000000.0"),
        ({"grace": float("nan")}, "grace: Expected `float` > 0.0"),
        ({"reopen": -1}, "reopen: Expected `float` >= 0.0"),
        ({"witness_share": 1.1}, "witness_share: Expected `float` <= 1.0"),
        ({"max_message_bytes": 124}, "max_message_bytes: Expected `int` >= 125"),
        ({"doubts": {"steal": 1.1}}, "doubts.steal: Expected `float` <= 1.0"),
        ({"doubts": {"slip_p99": 0}}, "doubts.slip_p99: Expected `float` > 0.0"),
        ({"doubts": {"warm_up": 0.9}}, "doubts.warm_up: Expected `float` >= 1.0"),
        ({"doubts": {"steel": 0.1}}, "doubts: Object contains unknown field `steel`"),
        ({"seed": 2**63}, "seed: Expected `int` <= 9223372036854775807"),
        ({"seed": 2**70}, "seed: Expected `int` <= 9223372036854775807"),
        ({"arrivals": {"kind": "bursty"}}, "arrivals.kind: Invalid value 'bursty'"),
        ({"arrivals": {"kind": "constant", "interval": 0}}, "arrivals.interval: Expected `float` > 0.0"),
        ({"required": ["echo", "speed"]}, "required[1]: Invalid enum value 'speed'"),
        ({"personas": []}, "personas: Expected `array` of length >= 1"),
        ({"personas": [{"prompts": []}]}, "personas[0].prompts: Expected `array` of length >= 1"),
        ({"personas": [{}, {"mood": "bad"}]}, "personas[1]: Object contains unknown field `mood`"),
        ({"goodput": ["soon"]}, "goodput: "),
        ({"thresholds": ["p99(mood) < 3ms"]}, "thresholds: "),
        ({"abort_on": ["it rains"]}, "abort_on: "),
        ({"sources": ["10.0.0.2", "eth0"]}, "sources: eth0 is no IP address"),
        ({"target": "ws://h/", "ca_file": "ca.pem"}, "ca_file: a ws:// target shows no certificate; is it"),
        ({"protocol": "morse"}, "protocol: there is no 'morse'; known are native"),
        ({"scenario": "../steady"}, r"scenario: Expected `str` matching regex '^[\\w-]+\\Z'"),
        ({"weather": "fine"}, "Object contains unknown field `weather`"),
    ],
)
def test_a_wrong_plan_is_refused_by_its_key_and_the_reason(values: dict[str, object], says: str) -> None:
    with pytest.raises(PlanError) as refused:
        make_plan(values)
    assert str(refused.value).startswith(says)


@pytest.mark.parametrize(
    "target",
    [
        *("localhost", "http://h/ws", "wss://", "ws://", "ws:///ws", "ws://h:port/ws", "ws://h:70000/"),
        *("ws://h:0/", "ws://[::1/ws", "ws://ann@h/ws", "wss://ann@h/ws", "ws://h/ws#part"),
    ],
)
def test_a_target_that_no_socket_can_reach_is_refused(target: str) -> None:
    with pytest.raises(PlanError, match=r"^target: .* is no ws://HOST:PORT/PATH"):
        make_plan({"target": target})


@pytest.mark.parametrize(
    "target", ["", "ws://h", "ws://127.0.0.1:8765/ws", "ws://[::1]:1/", "ws://h/a?b=c", "wss://h/"]
)
def test_a_target_may_be(target: str) -> None:
    assert make_plan({"target": target}).target == target


@pytest.mark.parametrize("target", ["ws://ann:hunter2@h/ws", "wss://h/ws?token=hunter2#x", "ws://:hunter2@"])
def test_no_password_is_repeated(target: str) -> None:
    with pytest.raises(PlanError) as refused:
        make_plan({"target": target})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("ws://h/ws?token=hunter2", "'token' in its query"),
        ("ws://h/ws?room=1&api-key=hunter2", "'api-key' in its query"),
        ("ws://h/ws?jwt=", "'jwt' in its query"),
        ("ws://h/ws?t=eyJhbGciOi.hunter2", "a token in its query"),
        ("ws://h/eyJhbGciOi.hunter2", "a token"),
    ],
)
def test_a_target_that_bears_a_secret_is_refused_with_what_to_do_instead(target: str, says: str) -> None:
    with pytest.raises(PlanError) as refused:
        make_plan({"target": target})
    assert str(refused.value).startswith(f"target: it bears {says}, ")
    assert "STREAMGAUGE_SECRET" in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("users = 0", "here.toml: users: Expected `int` >= 1"),
        ("user = 5", "here.toml: Object contains unknown field `user`"),
        ("users = ", "here.toml: Invalid value (at end of document)"),
    ],
)
def test_a_wrong_file_is_refused_by_its_name(text: str, says: str) -> None:
    with pytest.raises(PlanError, match=re.escape(says)):
        load_plan(text, "here.toml")


# TOML


@pytest.mark.parametrize("plan", [Plan(), FULL], ids=["defaults", "full"])
def test_a_plan_comes_back_from_toml(plan: Plan) -> None:
    assert load_plan(dump_plan(plan), "plan.toml") == plan


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=3).map(tuple))
def test_any_prompt_comes_back_from_toml(prompts: tuple[str, ...]) -> None:
    plan = Plan(personas=(Persona(prompts=prompts),))
    assert load_plan(dump_plan(plan), "plan.toml") == plan


def test_a_ca_file_lies_beside_its_plan(tmp_path: Path) -> None:
    where = tmp_path / "conf" / "plan.toml"
    for named in ("ca.pem", "../conf/ca.pem", str(where.with_name("ca.pem"))):
        found = Path(load_plan(f'ca_file = "{named}"', str(where)).ca_file)
        assert found.is_absolute()
        assert found.resolve() == where.with_name("ca.pem")
    assert load_plan('ca_file = "ca.pem"', "plan.toml").ca_file == str(Path("ca.pem").absolute())


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_has_a_plan_of_its_name(path: Path) -> None:
    assert load_plan(path.read_text(encoding="utf-8"), path.name).scenario == path.stem
    assert path.with_suffix(".py").is_file()


def test_every_locust_file_has_a_plan() -> None:
    assert {path.stem for path in SCENARIOS} == {path.stem for path in (ROOT / "scenarios").glob("*.py")}


# The digest

OTHER = {
    "scenario": "isolation",
    "users": 999,
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
}


@pytest.mark.parametrize(
    "elsewhere", [{"target": "ws://b/"}, {"target": "wss://a/", "ca_file": "b"}, {"sources": ("10.0.0.2",)}]
)
def test_the_digest_leaves_out_where_the_target_is_and_how_it_is_reached(elsewhere: dict[str, Any]) -> None:
    assert digest(Plan(**elsewhere)) == digest(Plan(target="ws://a/")) == digest(Plan())


@pytest.mark.parametrize("key", OTHER)
def test_the_digest_depends_on_everything_else(key: str) -> None:
    assert digest(replace(Plan(), **{key: OTHER[key]})) != digest(Plan())


def test_there_is_nothing_else() -> None:
    assert {field.name for field in msgspec.structs.fields(Plan)} - OTHER.keys() == {*ELSEWHERE, "protocol"}


@pytest.mark.parametrize("plan", [Plan(), FULL, Plan(duration=30)], ids=["defaults", "full", "whole number"])
def test_the_digest_of_a_plan_is_that_of_its_file(plan: Plan) -> None:
    assert digest(load_plan(dump_plan(plan), "plan.toml")) == digest(plan)


# What follows from it


def test_limits_are_in_nanoseconds() -> None:
    limits = Plan(silence=2.5, grace=0.1, stall=3).limits
    assert (limits.silence_ns, limits.grace_ns, limits.stall_ns) == (
        2_500_000_000,
        100_000_000,
        3_000_000_000,
    )


def test_the_load_is_what_it_is_from_the_end_of_the_ramp_on() -> None:
    assert Plan(users=100, spawn_rate=50, duration=30).load_ns == (2_000_000_000, 30_000_000_000)
    assert Plan().is_steady
    assert Plan(arrivals=Lockstep(interval=1)).is_steady
    assert not Plan(arrivals=Spike(interval=1, at=1, lasting=1, factor=2)).is_steady
    assert not Plan(slice_runs=1).is_steady


def test_every_socket_that_a_user_may_open_is_counted() -> None:
    tabs = (Persona(tabs=3), Persona())
    assert (Plan(users=7).sockets, Plan(users=7, reopen=8).sockets) == (7, 14)
    assert (Plan(users=7, personas=tabs).sockets, Plan(users=7, personas=tabs, reopen=8).sockets) == (21, 28)


def test_draining_outlasts_the_last_deadline_and_its_grace_time() -> None:
    script = (Sleep(ms=20_000), Result())
    assert Plan(slack=15, grace=1).drain > 15 + 1
    assert Plan(slack=15, grace=1, personas=(Persona(), Persona(script=script))).drain > 15 + 1 + 20


def test_measuring_controls_are_needed_for_scripts_faults_and_slices_alone() -> None:
    scripted = Plan(personas=(Persona(), Persona(script=(Result(),))))
    assert not Plan().measures
    assert all(plan.measures for plan in (scripted, Plan(faults=("swap",)), Plan(slice_runs=1)))


def test_without_a_choice_every_promised_rule_is_needed() -> None:
    assert Plan().needed == tuple(Rule)
    assert Plan(required=(Rule.ECHO,)).needed == (Rule.ECHO,)


def test_a_protocol_s_promises_are_what_is_needed_and_no_other_rule_can_be() -> None:
    plan = Plan(protocol="ag-ui")
    assert set(plan.needed) == plan.promises < set(Rule)
    assert load_plan(dump_plan(plan), "plan.toml").required == ()
    with pytest.raises(PlanError) as refused:
        make_plan({"protocol": "ag-ui", "required": ["echo", "seq-contiguous", "thinking-present"]})
    assert str(refused.value) == (
        "required: the protocol 'ag-ui' does not promise seq-contiguous, thinking-present"
    )
