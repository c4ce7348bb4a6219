"""A plan, its file, and what follows from it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reference_server.faults import FAULTS as SERVERS_FAULTS
from reference_server.faults import Timed
from streamgauge.arrivals import Lockstep, Spike
from streamgauge.contradictions import FAULTS, TIMED
from streamgauge.core.contract import ATTACKED, COUNTED, Rule
from streamgauge.persona import Persona
from streamgauge.plan import Plan, PlanError, at_another_server, dump_plan, load_plan, make_plan
from streamgauge.script import Result, Sleep
from tests.support.command import ROOT
from tests.support.full_plan import FULL

SCENARIOS = sorted((ROOT / "scenarios").glob("*.toml"))


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


def test_the_faults_that_a_plan_may_name_are_those_of_the_reference_server() -> None:
    assert set(FAULTS) == set(SERVERS_FAULTS)
    assert set(TIMED) == {name for name, fault in SERVERS_FAULTS.items() if isinstance(fault, Timed)}


@pytest.mark.parametrize("fault", ["silence", "silence:0.5", "silence:0.5:3s", "clock-lie:1:2.5ms"])
def test_a_fault_may_have_a_rate_and_some_a_time(fault: str) -> None:
    assert make_plan({"faults": [fault]}).faults == (fault,)


# The server's command


def test_a_servers_command_is_kept_as_it_was_typed() -> None:
    plan = make_plan({"server": "python  -m 'my server' --port 0"})
    assert load_plan(dump_plan(plan), "plan.toml").server == "python  -m 'my server' --port 0"
    assert plan.command == ("python", "-m", "my server", "--port", "0")
    assert Plan().command == Plan(server="  ").command == ()


@pytest.mark.parametrize(
    ("server", "why"),
    [("serve 'it", "server: it is no command"), ("serve --secret=abc", "looks like a secret")],
)
def test_what_is_no_command_or_bears_a_secret_is_refused(server: str, why: str) -> None:
    with pytest.raises(PlanError, match=why) as refused:
        make_plan({"server": server})
    assert "abc" not in str(refused.value)


# What follows from it


def test_a_scenario_has_a_name_by_its_path_too() -> None:
    assert (Plan(scenario="my-own").name, Plan(scenario="../my own.py").name) == ("my-own", "my own")


@pytest.mark.parametrize(("protocol", "has"), [("native", True), ("ag-ui", False)])
def test_what_its_protocol_says_of_itself_is_among_its_limits(protocol: str, has: bool) -> None:
    limits = Plan(protocol=protocol).limits
    assert (limits.greets, limits.accepts, limits.digests) == (has, has, has)


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


def test_an_optional_script_is_for_a_server_of_the_runs_own() -> None:
    optional = {"cancel_share": 0.5, "script": [{"do": "result"}], "optional_script": True}
    values: dict[str, object] = {"personas": [optional, {"name": "other"}]}
    assert make_plan(values).measures
    assert make_plan(values | {"server": "serve"}).measures
    elsewhere = make_plan(values | {"target": "ws://h/ws"})
    assert not elsewhere.measures
    assert elsewhere.personas == (Persona(cancel_share=0.5), Persona(name="other"))
    needed = {"personas": [{"script": [{"do": "result"}]}], "target": "ws://h/ws"}
    assert make_plan(needed).measures


def test_the_linger_of_a_scenario_is_for_the_server_that_it_starts() -> None:
    churn = Plan(scenario="churn", serve=("--window", "1"), linger=6)
    assert at_another_server(churn) == replace(churn, linger=70)
    for own in (replace(churn, scenario="/mine.py"), replace(churn, serve=())):
        assert at_another_server(own) == own


def test_without_a_choice_every_promised_rule_is_needed() -> None:
    assert Plan().needed == tuple(rule for rule in Rule if rule not in ATTACKED | COUNTED)
    assert Plan(required=(Rule.ECHO,)).needed == (Rule.ECHO,)


def test_what_attacks_alone_show_is_needed_where_there_are_some() -> None:
    assert Plan(scenario="attack").needed == tuple(rule for rule in Rule if rule not in COUNTED)
    assert set(Plan(scenario="attack", protocol="ag-ui").needed) >= ATTACKED


def test_a_protocol_s_promises_are_what_is_needed_and_no_other_rule_can_be() -> None:
    plan = Plan(protocol="ag-ui")
    assert set(plan.needed) == plan.promises - ATTACKED < set(Rule)
    assert load_plan(dump_plan(plan), "plan.toml").required == ()
    with pytest.raises(PlanError) as refused:
        make_plan({"protocol": "ag-ui", "required": ["echo", "seq-contiguous", "thinking-present"]})
    assert str(refused.value) == (
        "required: the protocol 'ag-ui' does not promise seq-contiguous, thinking-present"
    )
