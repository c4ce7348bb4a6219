"""What an assessment looks at: the plan of every look, and how the looks share the time."""

import math
from collections.abc import Collection, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from streamgauge.persona import Persona
from streamgauge.plan import Plan, make_plan
from streamgauge.protocol import PROTOCOLS, Dialect
from streamgauge.script import duration_s

# Each look's part of the time that is left when all have the least they need.
PARTS: Final = {"steady": 0.35, "isolation": 0.25, "burst": 0.15, "interrupt": 0.15, "overhead": 0.10}

_OWN: Final = (  # what makes a scenario what it is; all else is the given plan's
    *("scenario", "processes", "spawn_rate", "duration", "arrivals"),
    *("slice_runs", "witness_share", "reopen"),
)
_DOES: Final = ("think", "tabs", "cancel_share", "speak_share", "leave_share")  # not who, but what they do

_LOOK_S: Final = 4.0  # what a look takes besides its load: a server, a probe, a drain, a report
_LEAST_S: Final = 4.0
_LEAST_AFTER_RAMP_S: Final = 2.0
_LEAST_OF_OVERHEAD_S: Final = 10.0  # six whole blocks, also on a busy machine
# What is kept back: in ten minutes the drain of a server that hangs, in one what a busy machine is late.
_KEPT: Final = 0.05
_LEAST_KEPT_S: Final = 6.0


def look_plan(scenario: Plan, given: Plan, users: int | None) -> Plan:
    """The plan of one look: the scenario's load on the target of `given`, by its users and by its limits.

    No look has more users than `given`, but where `users` says how many. The load lasts as
    short as it may; `load_s` says how long it should. Raises `PlanError`.
    """
    own: dict[str, object] = {key: getattr(scenario, key) for key in _OWN}
    users = min(scenario.users, given.users) if users is None else users
    own["users"] = users
    own["duration"] = math.ceil(_least_load_s(scenario.scenario, users / scenario.spawn_rate))
    own["personas"] = _personas(scenario, given)
    return make_plan(msgspec.to_builtins(given) | msgspec.to_builtins(own))


def _personas(scenario: Plan, given: Plan) -> tuple[Persona, ...]:
    """Who the given plan's users are, doing what the scenario's do; in `steady` they do as they please."""
    if scenario.scenario == "steady":
        return given.personas
    unspoken = dict.fromkeys(_unspoken(PROTOCOLS[given.protocol]), 0)
    return tuple(
        replace(
            who,
            name=who.name if who.name == does.name else f"{who.name}, {does.name}",
            weight=who.weight * does.weight,
            **{key: getattr(does, key) for key in _DOES} | unspoken,
        )
        for who in given.personas
        for does in scenario.personas
    )


def left_out(look: str, protocol: str) -> str:
    """Why a protocol does not allow a look; "" where it does."""
    lacks = [share.removesuffix("_share") for share in _unspoken(PROTOCOLS[protocol])]
    if look != "interrupt" or not lacks:
        return ""
    return f"not measured: the protocol {protocol!r} has no message to {' or to '.join(lacks)}"


def _unspoken(dialect: Dialect) -> Sequence[str]:
    """The shares of a persona that the protocol has no message for."""
    said = {"cancel_share": dialect.cancel("r-1"), "speak_share": dialect.say("r-1", "and?")}
    return [share for share, message in said.items() if message is None]


# Time


def least_s(given: Plan, plans: Collection[Plan]) -> float:
    """What the first look, one run of each persona, and the looks of the plans need at least."""
    first_s = _LOOK_S + sum(duration_s(persona.script) for persona in given.personas)
    all_s = first_s + sum(map(_cost_s, plans))
    return max(all_s + _LEAST_KEPT_S, all_s / (1 - _KEPT))


def load_s(plans: Sequence[Plan], left_s: float, time_s: float) -> float:
    """How long the load of the first of the plans that are left may last; 0 where the time is over.

    `left_s` is left of the `time_s` of the whole assessment. What is begun before its end has
    the least it needs, though that may lie beyond.
    """
    first = plans[0]
    if left_s <= 0:
        return 0.0
    spare_s = left_s - max(_LEAST_KEPT_S, time_s * _KEPT) - sum(map(_cost_s, plans))
    parts = sum(PARTS[plan.scenario] for plan in plans)
    return math.floor(first.duration + max(0.0, spare_s) * PARTS[first.scenario] / parts)


def _cost_s(plan: Plan) -> float:
    """All that a look takes, with the least load."""
    return plan.duration + _LOOK_S + max(duration_s(persona.script) for persona in plan.personas)


def _least_load_s(look: str, ramp_s: float) -> float:
    least = _LEAST_OF_OVERHEAD_S if look == "overhead" else _LEAST_S
    return max(least, ramp_s + _LEAST_AFTER_RAMP_S)
