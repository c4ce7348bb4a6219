"""The test plan: what load, against what, judged by which rules.

A plan is frozen and validated before the first socket opens. Every result folder
holds the plan that made it, as TOML.
"""

import hashlib
import ipaddress
import re
import shlex
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec
import tomli_w
from msgspec import Meta, Struct

from streamgauge.arrivals import Arrivals, Constant, Lockstep, Poisson
from streamgauge.attack_plan import AttackPlan
from streamgauge.bounds import (
    MOST_PROCESSES,
    MOST_USERS,
    NotNegative,
    Positive,
    Share,
)
from streamgauge.contradictions import contradictions
from streamgauge.core import abort
from streamgauge.core.contract import ATTACKED, COUNTED, Limits, Rule
from streamgauge.core.doubt_limits import DoubtLimits
from streamgauge.core.limit import LimitError, run_limit
from streamgauge.core.threshold import Level, Threshold, parse
from streamgauge.explain import explained
from streamgauge.persona import Persona, at_target
from streamgauge.protocol import PROTOCOLS
from streamgauge.protocol.login import Login
from streamgauge.report.redact import redacted, secret_of_address
from streamgauge.script import duration_s

ATTACK: Final = "attack"  # the scenario, beside whose load the attack list is carried out
PLAN_FILE: Final = "plan.toml"  # in every result folder
ELSEWHERE: Final = (
    "target",
    "server",
    "ca_file",
    "sources",
)  # keys that may differ where the same load is run
_SHOWN: Final = 200  # characters of what somebody wrote
_NAME: Final = re.compile(r"[\w-]+")


class PlanError(ValueError):
    """A plan that cannot be run; the text says which key, and why."""


class Graded(Struct, frozen=True, forbid_unknown_fields=True):
    """A threshold and what it does where it does not hold."""

    limit: str
    level: Level = Level.FAIL


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One test plan; times are seconds. Defaults are those of `steady`."""

    scenario: str = "steady"  # its name, or the path of its Locust file from the folder of the plan
    target: str = ""  # ws://host:port/path, or wss://
    server: str = ""  # command that starts the target anew for each run, as typed in a shell
    ca_file: str = ""  # PEM of the CAs that a wss:// target is verified by; none: the system's
    sources: tuple[str, ...] = ()  # local addresses, in turn; none: the kernel's choice, on loopback ours
    allow_target: tuple[str, ...] = ()  # hosts that are not this machine and may be put under load
    protocol: str = "native"
    login: Login = Login()  # how users say who they are
    users: Annotated[int, Meta(ge=1)] = 1000
    processes: Annotated[int, Meta(ge=1, le=MOST_PROCESSES)] = 1  # that generate the load
    spawn_rate: Positive = 250  # users per second: the ramp
    duration: Positive = 30  # from the first user on, the ramp included
    arrivals: Arrivals = Poisson(interval=2)  # of the requests of one user
    personas: Annotated[tuple[Persona, ...], Meta(min_length=1)] = (Persona(),)
    slice_runs: Annotated[int, Meta(ge=0, le=1_000)] = 0  # of each user in one slice; 0: no slices
    witness_share: Share = 0  # users who connect and never speak
    reopen: NotNegative = 0  # after so long a user opens a second socket and closes the older; 0: never
    silence: Positive = 10  # the longest gap a user should see
    stall: Positive = 1  # a longer gap between two chunks of an answer is a stall
    slack: Positive = 15  # a request must be settled within the script's time and this
    grace: Positive = 1  # how long a run is watched after its end
    connect_timeout: Positive = 15
    max_message_bytes: Annotated[int, Meta(ge=125, le=2**30)] = 65_536
    required: tuple[Rule, ...] = ()  # empty: all that the protocol promises
    thresholds: tuple[str | Graded, ...] = ()  # docs/thresholds.md
    goodput: tuple[str, ...] = ()  # limits that a good run keeps
    doubts: DoubtLimits = DoubtLimits()  # from where on the measurement itself is doubted: docs/doubts.md
    abort_on: tuple[str, ...] = ()  # conditions under which the run stops: "findings > 100"
    most_runs: Annotated[int, Meta(ge=0, le=10**12)] = 0  # asked for by all users together; 0: no cap
    record: Literal["rows", "raw"] = "rows"  # raw: also every message as it was said
    faults: tuple[str, ...] = ()  # that the reference server is told to commit
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 1
    control: bool = False  # traffic set apart, with faults in it that must be caught: docs/proxy.md
    attack: AttackPlan = AttackPlan()  # of `attack`: docs/attack.md
    linger: Positive = 70  # after so long nothing of a user who left may be left at the server
    serve: tuple[str, ...] = ()  # more flags of the server that is started without a target

    def __post_init__(self) -> None:
        if not self.locustfile and not _NAME.fullmatch(self.scenario):
            raise PlanError(
                f"scenario: {redacted(self.scenario, _SHOWN)!r} is neither a name "
                "nor the path of a Locust file (.py)"
            )
        if self.users > MOST_USERS:
            raise PlanError(
                f"users: {self.users:,} of them; at most {MOST_USERS:,} can be, "
                "more are no load of one plan: share them among several"
            )
        if self.protocol not in PROTOCOLS:
            raise PlanError(f"protocol: there is no {self.protocol!r}; known are {', '.join(PROTOCOLS)}")
        for condition in self.abort_on:
            try:
                abort.parse(condition)
            except ValueError as error:
                raise PlanError(f"abort_on: {error}") from error
        if self.users / self.spawn_rate > self.duration:
            raise PlanError(
                f"users: {self.users} of them, {self.spawn_rate:g} a second (spawn_rate), "
                f"are not all there within {self.duration:g} s (duration)"
            )
        if self.target and not _is_usable(self.target):
            raise PlanError(
                f"target: {redacted(self.target, _SHOWN)} is no ws://HOST:PORT/PATH and no wss:// either "
                "(no user or password in it)"
            )
        if self.ca_file and self.target.startswith("ws://"):
            raise PlanError("ca_file: a ws:// target shows no certificate; is it wss://?")
        for source in self.sources:
            if not _is_address(source):
                raise PlanError(f"sources: {redacted(source, _SHOWN)} is no IP address")
        if self.target and (bears := secret_of_address(self.target)):
            raise PlanError(
                f"target: it bears {bears}, and every result folder holds the plan: leave it out, "
                "and give the server's secret by STREAMGAUGE_SECRET"
            )
        _require_command("server", self.server)
        _require_command("serve", shlex.join(self.serve))
        for key, read in (("goodput", lambda: self.limits), ("thresholds", lambda: self.gates)):
            try:
                read()
            except LimitError as error:
                raise PlanError(f"{key}: {error}") from error

    @property
    def name(self) -> str:
        """The scenario's name, which becomes part of a folder's."""
        return PurePath(self.scenario).stem if self.locustfile else self.scenario

    @property
    def locustfile(self) -> str:
        """The path of the scenario's Locust file, absolute or from the folder of the plan; "" of a name."""
        return self.scenario if self.scenario.endswith(".py") else ""

    @property
    def command(self) -> tuple[str, ...]:
        """The words of the command that starts the target; none where it is up, or the reference server."""
        return tuple(shlex.split(self.server))

    @property
    def promises(self) -> frozenset[Rule]:
        """The rules that the protocol promises to keep; no other is judged."""
        return PROTOCOLS[self.protocol].promises

    @property
    def needed(self) -> tuple[Rule, ...]:
        """The rules that must have been judged."""
        beside = COUNTED if self.name == ATTACK else ATTACKED | COUNTED
        return self.required or tuple(rule for rule in Rule if rule in self.promises - beside)

    @property
    def limits(self) -> Limits:
        """What the rules and the metrics need to be told."""
        return Limits(
            silence_ns=int(self.silence * 1e9),
            grace_ns=int(self.grace * 1e9),
            stall_ns=int(self.stall * 1e9),
            goodput=tuple(map(run_limit, self.goodput)),
            greets=PROTOCOLS[self.protocol].greets,
            accepts=PROTOCOLS[self.protocol].accepts,
            digests=PROTOCOLS[self.protocol].digests,
        )

    @property
    def gates(self) -> tuple[Threshold, ...]:
        """The thresholds, read."""
        graded = (Graded(one) if isinstance(one, str) else one for one in self.thresholds)
        return tuple(parse(one.limit, one.level) for one in graded)

    @property
    def load_ns(self) -> tuple[int, int]:
        """From when until when all users are there, in ns after the beginning."""
        return int(self.users / self.spawn_rate * 1e9), int(self.duration * 1e9)

    @property
    def is_steady(self) -> bool:
        """Whether the load is the same from when all users are there."""
        return isinstance(self.arrivals, Constant | Poisson | Lockstep) and not self.slice_runs

    @property
    def sockets(self) -> int:
        """How many sockets are open at once, at most."""
        return self.users * (max(persona.tabs for persona in self.personas) + bool(self.reopen))

    @property
    def drain(self) -> float:
        """How long a run may take to end after its last request."""
        return self.slack + self.grace + 5 + max(duration_s(persona.script) for persona in self.personas)

    @property
    def measures(self) -> bool:
        """Whether the server must be under measuring controls (docs/wire.md, section 6)."""
        return bool(self.faults or self.slice_runs) or any(persona.script for persona in self.personas)


def _require_command(key: str, server: str) -> None:
    """Raise `PlanError` where it cannot be split into words, or bears what looks like a secret."""
    try:
        shlex.split(server)
    except ValueError as error:
        raise PlanError(f"{key}: it is no command ({error})") from error
    if redacted(server, len(server)) != server:
        raise PlanError(
            f"{key}: it bears what looks like a secret, and every result folder holds the plan: "
            "hand it over in the environment, as STREAMGAUGE_SECRET is"
        )


def _is_usable(target: str) -> bool:
    """Whether one can connect to it, and show it: a password would stand in every message and report."""
    try:
        url = urlsplit(target)
        port = url.port
    except ValueError:  # no port, or no IPv6 address
        return False
    return (
        url.scheme in {"ws", "wss"}
        and bool(url.hostname)
        and port != 0
        and "@" not in url.netloc
        and not url.fragment
    )


def _is_address(source: str) -> bool:
    try:
        ipaddress.ip_address(source)
    except ValueError:
        return False
    return True


def load_plan(text: str, where: str) -> Plan:
    """Read the plan of the file `where` from its TOML; raises `PlanError` naming `where`, key and fault.

    Its `ca_file` lies beside it, unless it is an absolute path; in what is returned it is one.
    """
    try:
        plan = make_plan(msgspec.toml.decode(text))
    except (PlanError, msgspec.DecodeError) as error:
        raise PlanError(f"{where}: {error}") from error
    if plan.ca_file:
        return msgspec.structs.replace(
            plan, ca_file=str(Path(where).parent.joinpath(plan.ca_file).absolute())
        )
    return plan


def make_plan(values: Mapping[str, object]) -> Plan:
    """A plan from plain values; raises `PlanError` naming the key and the fault."""
    try:
        plan = msgspec.convert(values, Plan)
    except msgspec.ValidationError as error:
        raise PlanError(explained(error, values, Plan)) from error
    if plan.target:
        plan = msgspec.structs.replace(plan, personas=tuple(map(at_target, plan.personas)))
    for problem in contradictions(plan):
        raise PlanError(problem)
    return plan


def at_another_server(beside: Plan) -> Plan:
    """The plan beside a scenario of the suite, where its `serve`, which its `linger` suits, is not used.

    Who has a plan or a scenario of his own chose his own.
    """
    suited = bool(beside.serve) and not beside.locustfile
    return msgspec.structs.replace(beside, linger=Plan().linger) if suited else beside


def dump_plan(plan: Plan) -> str:
    """The plan as TOML."""
    return tomli_w.dumps(msgspec.to_builtins(plan))


def digest(plan: Plan) -> str:
    """A short digest of the plan but for where it leads (`ELSEWHERE`), by which runs can be compared."""
    # made anew, for 30 and 30.0 are one duration
    values = msgspec.to_builtins(plan) | {"scenario": plan.name}
    anywhere = msgspec.to_builtins(msgspec.convert(values, Plan))
    known = {key: value for key, value in anywhere.items() if key not in ELSEWHERE}
    return hashlib.sha256(tomli_w.dumps(known).encode()).hexdigest()[:12]
