"""`streamgauge validate`: one user, one run, each event present or missing."""

import random
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import msgspec
import typer

from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.flags import AllowTarget, Faults, ProtocolName, Secret, planned
from streamgauge.cli.server import started_server
from streamgauge.cli.target import CaFile, require_allowed, trusting
from streamgauge.core.canary import mint
from streamgauge.core.event import Kind
from streamgauge.core.finding import Outcome, worst
from streamgauge.exit_code import OF_OUTCOME
from streamgauge.persona import Persona
from streamgauge.plan import Plan
from streamgauge.protocol import PROTOCOLS, Request
from streamgauge.protocol.login import mint_token
from streamgauge.rig.one_run import Patience, one_run
from streamgauge.rig.probe import ProbeError, probe
from streamgauge.script import Step, duration_s, fails, makes, pause_s
from streamgauge.study.assessment import Look
from streamgauge.study.overhead import CONTROLLED
from streamgauge.study.render_validation import render_validation
from streamgauge.study.validation import FIVE, Validation, expected, unpromised, validate

EXAMPLES = """Examples:

streamgauge validate --target ws://127.0.0.1:8765/ws   (STREAMGAUGE_SECRET is set)

streamgauge validate --plan mine.toml   (its target, login and personas)

streamgauge validate --agent chat --expect started,completed   (an agent that need not think aloud)
"""

_USER = "validate"
_FIVE = ",".join(kind.name.lower() for kind in FIVE)


def validate_command(  # noqa: PLR0913, PLR0917 - these are the options of a command
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            help="Whose target, protocol, login, limits and personas are taken (TOML); flags override it.",
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="ws[s]://HOST:PORT/PATH (default: a reference server of its own).")
    ] = None,
    ca_file: CaFile = None,
    agent: Annotated[
        str | None,
        typer.Option(help="Which agent to ask (default: scripted, or those of the plan's personas)."),
    ] = None,
    prompt: Annotated[
        str | None, typer.Option(help="What to ask (default: the personas' first prompt).")
    ] = None,
    expect: Annotated[
        str,
        typer.Option(
            help=f"The events that must come, by name (default: {_FIVE}; thinking where promised, no "
            "tools of an agent of your own; of a script, what it says)."
        ),
    ] = "",
    fault: Faults = None,
    protocol: ProtocolName = None,
    secret: Secret = None,
    allow_target: AllowTarget = None,
) -> None:
    """Ask once as one user: each event PRESENT or MISSING, and what it means to the user."""
    flags = {"target": target, "protocol": protocol, "faults": tuple(fault) if fault else None}
    changes = {key: value for key, value in flags.items() if value is not None} | trusting(ca_file)
    given = planned(plan, changes, {"allow_target": allow_target or []})
    kinds = _kinds(expect)
    personas = given.personas if agent is None else (Persona(agent=agent),)
    found: dict[str, Outcome] = {}
    with _reached(given, secret) as (address, key):
        for place, persona in enumerate(personas, 1):
            asked = _asked(persona.agent, prompt or persona.prompts[0], _options(persona))
            seen = _run(given, address, key, asked, kinds or _due(persona, given), persona.script)
            name = f"persona {place} of {len(personas)}, {persona.name}"
            found[name] = seen.outcome
            if len(personas) > 1:
                typer.echo(f"{name}:\n")
            typer.echo(render_validation(seen), nl=False)
            if len(personas) > 1:
                typer.echo()
    if len(personas) > 1:
        failed = [name for name, outcome in found.items() if outcome is not Outcome.PASS]
        typer.echo(f"FAIL  {'; '.join(failed)}" if failed else f"PASS  all {len(personas)} personas")
    raise typer.Exit(OF_OUTCOME[worst(list(found.values()))])


def _due(persona: Persona, plan: Plan) -> frozenset[Kind]:
    """The events that must come where none are named: the five of the agent that plays the default script."""
    if persona.script or persona.agent != Persona().agent:
        return expected(persona, plan.promises, scripted=False)
    return frozenset(FIVE) - unpromised(plan.promises)


def look_once(plan: Plan, secret: str | None) -> Look:
    """The same as a look of an assessment: a run of each of the plan's personas."""
    outcomes, said = [], []
    with _reached(plan, secret) as (target, key):
        for persona in plan.personas:
            asked = _asked(persona.agent, persona.prompts[0], _options(persona))
            scripted = asked.agent == Persona().agent and bool(PROTOCOLS[plan.protocol].echo(asked).agent)
            kinds = expected(persona, plan.promises, scripted=scripted)
            seen = _run(plan, target, key, asked, kinds, persona.script)
            outcomes.append(seen.outcome)
            verdict = render_validation(seen).splitlines()[-1].partition("  ")[2]
            if seen.outcome is not Outcome.PASS:
                said.append(f"{persona.name}: {verdict}" if len(plan.personas) > 1 else verdict)
    return Look("validate", worst(outcomes), "; ".join(said) or verdict)


def is_controlled(plan: Plan, secret: str | None) -> bool:
    """Whether the plan's target is under measuring controls: a run with them is accounted for."""
    persona = plan.personas[0]
    asked = _asked(persona.agent, persona.prompts[0], CONTROLLED)
    with _reached(plan, secret) as (target, key):
        return _run(plan, target, key, asked, frozenset()).accounted


@contextmanager
def _reached(plan: Plan, secret: str | None) -> Iterator[tuple[str, str]]:
    """The address and the secret of the plan's target, or of the server that is started for it."""
    if plan.target:
        require_allowed(plan.target, plan.allow_target)
        if plan.login.signs and not secret:
            raise UsageProblem("no secret: give --secret or set STREAMGAUGE_SECRET")
    if plan.target and not plan.command:
        yield plan.target, secret or ""
        return
    secret = secret if plan.target and secret else secrets.token_urlsafe(32)
    with (
        tempfile.TemporaryDirectory() as folder,
        started_server(secret, plan, Path(folder) / "server.log") as (address, _),
    ):
        yield address, secret


def _options(persona: Persona) -> Mapping[str, object]:
    return {"script": msgspec.to_builtins(persona.script)} if persona.script else {}


def _asked(agent: str, prompt: str, options: Mapping[str, object] = MappingProxyType({})) -> Request:
    canary = mint(random.SystemRandom())
    return Request(
        text=f"{prompt} {canary}",
        request="q-1",
        thread="t-1",
        agent=agent,
        context={"canary": canary},
        options=options,
    )


def _run(
    plan: Plan,
    target: str,
    secret: str,
    asked: Request,
    kinds: frozenset[Kind],
    script: Sequence[Step] = (),
) -> Validation:
    """One run, judged."""
    dialect = PROTOCOLS[plan.protocol]
    token = mint_token(_USER, secret, time.time(), plan.login)
    takes_s = duration_s(script)
    patience = Patience(plan.slack, plan.grace, takes_s, pause_s(script), fails(script), makes(script))
    try:
        probe(
            *(target, dialect, token, plan.connect_timeout, plan.ca_file),
            login=plan.login,
            scripted=asked.agent if script else "",
        )
        canary = asked.context["canary"]
        rows = one_run(target, dialect, token, _USER, canary, asked, patience, plan.ca_file, plan.login)
    except ProbeError as error:
        raise UsageProblem(str(error)) from error
    except OSError as error:
        raise UsageProblem(f"{target}: the connection was lost ({error})") from error
    return validate(rows, kinds, plan.limits, plan.promises)


def _kinds(names: str) -> frozenset[Kind]:
    known = {kind.name.lower(): kind for kind in (*FIVE, Kind.PARTIAL, Kind.FAILED)}
    given = [name.strip() for name in names.split(",") if name.strip()]
    for name in given:
        if name not in known:
            raise UsageProblem(f"--expect: there is no event {name!r}; known are {', '.join(known)}")
    return frozenset(known[name] for name in given)
