"""`streamgauge run`: one scenario against one target, judged."""

import secrets
import shutil
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from streamgauge.cli import scenarios
from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.generator import run_locust
from streamgauge.cli.limits import require_files
from streamgauge.cli.server import reference_server
from streamgauge.exit_code import INTERNAL_ERROR
from streamgauge.plan import PLAN_FILE, Plan, PlanError, dump_plan, load_plan, make_plan
from streamgauge.protocol import PROTOCOLS
from streamgauge.protocol.login import mint_token
from streamgauge.results import new_folder
from streamgauge.rig.probe import ProbeError, probe
from streamgauge.units import seconds

EXAMPLES = """Examples:

streamgauge run --users 1000 --duration 30s

streamgauge run --scenario isolation --target ws://127.0.0.1:8765/ws   (STREAMGAUGE_SECRET is set)

streamgauge run --fault drop-thinking   (exit code 1: the fault is found)
"""


def _seconds(text: str) -> float:
    try:
        return seconds(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def run(  # noqa: PLR0913, PLR0917 - these are the options of a command
    scenario: Annotated[str, typer.Option(help="Its name, or the path of a Locust file.")] = "steady",
    users: Annotated[int | None, typer.Option(help="How many users connect.")] = None,
    duration: Annotated[
        float | None, typer.Option(parser=_seconds, help="How long, the ramp included: 30s, 5m.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="ws://HOST:PORT/PATH (default: a reference server of its own).")
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="NAME[:rate] that the reference server is told to commit; repeatable."),
    ] = None,
    spawn_rate: Annotated[float | None, typer.Option(help="Users who arrive in a second.")] = None,
    interval: Annotated[
        float | None, typer.Option(parser=_seconds, help="Mean time between two requests of one user.")
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="Generator processes.")] = 1,
    protocol: Annotated[str | None, typer.Option(help="How the target's stream is read.")] = None,
    secret: Annotated[
        str | None,
        typer.Option(envvar="STREAMGAUGE_SECRET", help="What the target's tokens are signed with."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the users' behaviour.")] = None,
    results: Annotated[Path, typer.Option(help="Where the result folder is made.")] = Path("results"),
) -> None:
    """Run a scenario, verify every event, and leave a report and a verdict in results/."""
    locustfile = scenarios.find(scenario)
    flags = {
        "users": users,
        "duration": duration,
        "target": target,
        "faults": tuple(fault) if fault else None,
        "spawn_rate": spawn_rate,
        "interval": interval,
        "protocol": protocol,
        "seed": seed,
    }
    plan = _plan(locustfile, {key: value for key, value in flags.items() if value is not None})
    require_files(plan.sockets, processes)
    if plan.target and plan.faults:
        raise UsageProblem("--fault needs the reference server: give no --target")
    if plan.target and not secret:
        raise UsageProblem("no secret: give --secret or set STREAMGAUGE_SECRET; the target's own is needed")
    try:
        folder = new_folder(results, plan.scenario)
    except OSError as error:
        raise UsageProblem(f"--results {results}: cannot be written ({error.strerror})") from error
    try:
        code = _measure(locustfile, plan, folder, secret or "", processes)
    except UsageProblem:
        shutil.rmtree(folder)  # nothing was measured: leave nothing behind
        raise
    raise typer.Exit(code)


def _plan(locustfile: Path, flags: dict[str, object]) -> Plan:
    """The scenario's plan, and the flags over it."""
    where = locustfile.with_suffix(".toml")
    try:
        plan = load_plan(where.read_text(encoding="utf-8"), str(where))
        return make_plan(msgspec.to_builtins(plan) | flags)
    except PlanError as error:
        raise UsageProblem(str(error)) from error


def _measure(locustfile: Path, plan: Plan, folder: Path, secret: str, processes: int) -> int:
    """Run the plan against its target, or a reference server of its own; the exit code."""
    if plan.target:
        return _generate(locustfile, plan, folder, secret, processes)
    secret = secrets.token_urlsafe(32)
    log = folder / "server.log"
    with reference_server(secret, plan.faults, log) as (address, server):
        plan = msgspec.structs.replace(plan, target=address)
        code = _generate(locustfile, plan, folder, secret, processes)
        if (died := server.poll()) is not None:
            typer.echo(f"the reference server ended in mid-run (exit code {died}): see {log}", err=True)
    return code


def _generate(locustfile: Path, plan: Plan, folder: Path, secret: str, processes: int) -> int:
    """Probe the target, then have Locust run the plan."""
    token = mint_token("probe", secret, time.time())
    try:
        probe(plan.target, PROTOCOLS[plan.protocol], token, plan.connect_timeout)
    except ProbeError as error:
        raise UsageProblem(str(error)) from error
    (folder / PLAN_FILE).write_text(dump_plan(plan), encoding="utf-8")
    code = run_locust(locustfile, plan, folder, secret, processes)
    if not (folder / "report.json").is_file():
        typer.echo(f"streamgauge: the generator ended without a report (exit code {code})", err=True)
        return INTERNAL_ERROR
    return code
