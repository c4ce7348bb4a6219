"""The test plan: what load, against what, judged by which rules.

A plan is frozen and validated before the first socket opens. Every result folder
holds the plan that made it, as TOML.
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
import tomli_w
from msgspec import Meta, Struct

from streamgauge.core.contract import Limits, Rule
from streamgauge.protocol import PROTOCOLS

PLAN_FILE: Final = "plan.toml"  # in every result folder

Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]


class PlanError(ValueError):
    """A plan that cannot be run; the text says which key, and why."""


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One test plan; times are seconds. Defaults are those of `steady`."""

    scenario: str = "steady"
    target: str = ""  # ws://host:port/path
    protocol: str = "native"
    users: Annotated[int, Meta(ge=1, le=100_000)] = 1000
    spawn_rate: Positive = 250  # users per second: the ramp
    duration: Positive = 30  # from the first user on, the ramp included
    arrivals: Literal["poisson", "constant", "lockstep"] = "poisson"
    interval: Positive = 2  # mean time between two requests of one user
    agent: str = "scripted"
    prompts: tuple[str, ...] = ("Where does the money go this month?", "Summarise the open incidents.")
    cancel_share: Share = 0  # runs that their user cancels
    witness_share: Share = 0  # users who connect and never speak
    reopen: NotNegative = 0  # after so long a user opens a second socket and closes the older; 0: never
    silence: Positive = 10  # the longest gap a user should see
    slack: Positive = 15  # a request must be settled within the script's time and this
    grace: Positive = 1  # how long a run is watched after its end
    connect_timeout: Positive = 15
    max_message_bytes: Annotated[int, Meta(ge=125)] = 65_536
    required: tuple[Rule, ...] = tuple(Rule)
    faults: tuple[str, ...] = ()  # that the reference server is told to commit
    seed: int = 1

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise PlanError(f"protocol: there is no {self.protocol!r}; known are {', '.join(PROTOCOLS)}")
        if self.target and not self.target.startswith("ws://"):
            raise PlanError(f"target: {self.target} is no ws://HOST:PORT/PATH (wss:// is not supported yet)")
        if not self.prompts:
            raise PlanError("prompts: at least one is needed")

    @property
    def limits(self) -> Limits:
        """The limits of the contract, in nanoseconds."""
        return Limits(silence_ns=int(self.silence * 1e9), grace_ns=int(self.grace * 1e9))

    @property
    def sockets(self) -> int:
        """How many sockets are open at once, at most."""
        return self.users * (2 if self.reopen else 1)

    @property
    def drain(self) -> float:
        """How long a run may take to end after its last request."""
        return self.slack + self.grace + 5


def load_plan(text: str, where: str) -> Plan:
    """Read a plan from TOML; raises `PlanError` naming `where`, the key and the fault."""
    try:
        return make_plan(msgspec.toml.decode(text))
    except (PlanError, msgspec.DecodeError) as error:
        raise PlanError(f"{where}: {error}") from error


def make_plan(values: Mapping[str, object]) -> Plan:
    """A plan from plain values; raises `PlanError` naming the key and the fault."""
    try:
        return msgspec.convert(values, Plan)
    except msgspec.ValidationError as error:
        what, _, key = str(error).partition(" - at `$")
        raise PlanError(f"{key.strip('.`')}: {what}" if key else what) from error


def dump_plan(plan: Plan) -> str:
    """The plan as TOML."""
    return tomli_w.dumps(msgspec.to_builtins(plan))


def digest(plan: Plan) -> str:
    """A short digest of the plan but for its target, by which runs can be compared."""
    anywhere = msgspec.structs.replace(plan, target="")
    return hashlib.sha256(dump_plan(anywhere).encode()).hexdigest()[:12]
