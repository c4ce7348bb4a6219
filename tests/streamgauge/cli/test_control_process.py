"""The control's plan: few users, the same requests, nothing that the run alone is judged by."""

from msgspec import structs

from streamgauge.arrivals import Constant, Poisson
from streamgauge.cli.control_process import USERS, plan_of_control
from streamgauge.core.contract import Rule
from streamgauge.persona import Persona
from streamgauge.plan import Plan, dump_plan, load_plan
from streamgauge.protocol.login import Login

ADDRESS = "ws://127.0.0.1:4321/agents"
WHO = Persona(name="clerk", agent="clerk", prompts=("And now?",), tabs=3, think=2.0, cancel_share=0.5)
PLAN = Plan(
    scenario="isolation",
    target="wss://127.0.0.1:1/agents",
    ca_file="/ca.pem",
    sources=("127.0.0.9",),
    login=Login(audience="mine"),
    users=5_000,
    spawn_rate=500,
    processes=2,
    duration=60,
    arrivals=Constant(interval=5),
    personas=(WHO,),
    witness_share=0.1,
    reopen=2,
    required=(Rule.ECHO,),
    thresholds=("p99(run) < 1s",),
    abort_on=("leaks > 0",),
    most_runs=9,
    max_message_bytes=1_000_000,
    control=True,
)


def test_its_users_are_few_and_ask_what_those_of_the_run_ask() -> None:
    plan = plan_of_control(PLAN, ADDRESS)
    assert (plan.target, plan.users, plan.processes) == (ADDRESS, USERS, 1)
    assert (plan.login, plan.max_message_bytes) == (PLAN.login, PLAN.max_message_bytes)
    assert plan.personas == (structs.replace(WHO, tabs=1, think=None, cancel_share=0),)
    assert plan.arrivals == Poisson(interval=5)
    assert plan.duration > PLAN.duration


def test_nothing_ends_it_or_judges_it_but_the_rules() -> None:
    plan = plan_of_control(PLAN, ADDRESS)
    nothing = Plan()
    for key in ("scenario", "sources", "ca_file", "required", "thresholds", "abort_on", "most_runs"):
        assert getattr(plan, key) == getattr(nothing, key), key
    assert (plan.witness_share, plan.reopen, plan.control) == (0, 0, False)


def test_in_a_short_run_its_users_ask_before_it_is_over() -> None:
    slow = structs.replace(PLAN, duration=10, arrivals=Poisson(interval=600))
    assert plan_of_control(slow, ADDRESS).arrivals == Poisson(interval=2.5)


def test_it_can_be_run_as_it_stands() -> None:
    plan = plan_of_control(PLAN, ADDRESS)
    assert load_plan(dump_plan(plan), "plan.toml") == plan
