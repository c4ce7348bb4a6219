import pytest
from msgspec.structs import replace

from streamgauge.persona import Persona
from streamgauge.plan import Plan, PlanError, load_plan
from streamgauge.study.looks import PARTS, least_s, left_out, load_s, look_plan
from tests.support.command import ROOT

MINE = Plan(
    protocol="native",
    users=40,
    silence=3,
    thresholds=("p99(run) < 1s",),
    personas=(
        Persona(name="ann", weight=3, agent="chat", prompts=("hi",), think=1.0, cancel_share=0.9),
        Persona(name="ben"),
    ),
)


def plan(name: str, given: Plan = MINE, users: int | None = None) -> Plan:
    text = (ROOT / "scenarios" / f"{name}.toml").read_text()
    return look_plan(load_plan(text, name), given, users)


def plans(given: Plan = MINE, users: int | None = None) -> list[Plan]:
    return [plan(name, given, users) for name in PARTS]


def whole(time_s: float, slow_s: float = 0.0) -> tuple[list[float], float]:
    """The load of each look, and when all is over; every look takes so much longer than it should."""
    rest, now_s, loads = plans(), 4.0, []
    while rest:
        loads.append(load_s(rest, time_s - now_s, time_s))
        now_s += loads[-1] + (4.0 + slow_s) * bool(loads[-1])
        rest.pop(0)
    return loads, now_s


# What a look is made of


def test_the_load_is_the_scenarios_and_the_rest_the_plans() -> None:
    burst = plan("burst")
    assert (burst.scenario, burst.arrivals) == ("burst", load_plan(_toml("burst"), "").arrivals)
    assert (burst.silence, burst.thresholds) == (3, ("p99(run) < 1s",))
    assert plan("isolation").witness_share > 0
    assert plan("overhead").slice_runs == 1


def test_in_a_steady_load_users_do_as_they_please() -> None:
    assert plan("steady").personas == MINE.personas


def test_elsewhere_they_are_who_they_are_and_do_what_the_scenario_is_for() -> None:
    assert [(one.name, one.agent, one.think, one.cancel_share) for one in plan("burst").personas] == [
        ("ann, user", "chat", None, 0),
        ("ben, user", "scripted", None, 0),
    ]
    interrupt = plan("interrupt").personas
    assert len(interrupt) == 2 * 4
    assert {one.prompts for one in interrupt if one.name.startswith("ann")} == {("hi",)}
    weights = {one.name: one.weight for one in interrupt}
    assert weights["ann, patient"] == 3 * weights["ben, patient"] == 6


def test_no_look_has_more_users_than_the_plan_unless_told_to() -> None:
    assert {one.users for one in plans(replace(MINE, users=100))} == {100, 32}
    assert {one.users for one in plans(users=7)} == {7}
    with pytest.raises(PlanError, match="users"):
        plan("steady", users=0)


def test_a_protocol_without_the_messages_leaves_a_look_out_and_isolates_without_cancels() -> None:
    assert not any(left_out(name, "native") for name in PARTS)
    assert [name for name in PARTS if left_out(name, "ag-ui")] == ["interrupt"]
    quiet = replace(MINE, protocol="ag-ui", personas=(Persona(),))
    assert all(one.cancel_share for one in plan("isolation").personas)
    assert not any(one.cancel_share for one in plan("isolation", quiet).personas)


# Time


@pytest.mark.parametrize("time_s", [60, 120, 600])
def test_the_looks_share_the_time_and_keep_it(time_s: float) -> None:
    loads, ends_s = whole(time_s)
    assert 0.85 * time_s < ends_s < time_s
    assert max(loads[:-1]) == loads[0]  # overhead needs whole blocks


def test_what_takes_longer_is_taken_from_what_follows() -> None:
    loads, ends_s = whole(600, slow_s=22.0)  # a server that hangs in every drain
    assert all(loads)
    assert ends_s <= 600
    assert loads[-1] < whole(600)[0][-1]


def test_in_a_short_time_a_busy_machine_may_end_late_but_begins_nothing_later() -> None:
    loads, ends_s = whole(60, slow_s=2.0)
    assert all(loads)
    assert ends_s <= 60 + 5
    loads, ends_s = whole(60, slow_s=15.0)
    assert loads[-1] == 0
    assert ends_s <= 60 + loads[0] + 4 + 15


def test_no_look_is_too_short_to_mean_anything() -> None:
    for one in plans(users=5_000):
        assert one.duration >= max(4, 5_000 / one.spawn_rate + 2)


def test_the_least_grows_with_the_users_and_with_what_the_script_takes() -> None:
    few = least_s(MINE, plans())
    assert few < least_s(Plan(), plans(Plan())) <= 60
    assert least_s(MINE, plans(users=5_000)) > few + 5_000 / 250
    slow = replace(MINE, personas=(Persona(script=load_plan(SLOW, "").personas[0].script),))
    assert least_s(slow, plans(slow)) == few + 6 * 9


SLOW = 'personas = [{ script = [{ do = "sleep", ms = 9000 }, { do = "result" }] }]'


def _toml(name: str) -> str:
    return (ROOT / "scenarios" / f"{name}.toml").read_text()
