"""`streamgauge run`: one scenario against one target, judged."""

import secrets
import sys
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from streamgauge.cli import scenarios
from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.limits import require_files
from streamgauge.cli.generator import run_locust
from streamgauge.cli.server import reference_server
from streamgauge.core.exit_code import INTERNAL_ERROR
from streamgauge.plan import Plan, PlanError, dump_plan, load_plan
from streamgauge.protocol import PROTOCOLS
from streamgauge.protocol.login import mint_token
from streamgauge.results import new_folder
from streamgauge.rig.probe import ProbeError, probe
from streamgauge.units import seconds

EXAMPLES = """Examples:

  streamgauge run --users 1000 --duration 30s

  streamgauge run --scenario isolation --target ws://127.0.0.1:8765/ws --secret "$SECRET"

  streamgauge run --fault drop-thinking
"""


def run(
    scenario: Annotated[str, typer.Option(help="Its name, or the path of a Locust file.")] = "steady",
    users: Annotated[int | None, typer.Option(help="How many users connect.")] = None,
    duration: Annotated[str | None, typer.Option(help="How long, the ramp included: 30s, 5m.")] = None,
    target: Annotated[str | None, typer.Option(help="ws://HOST:PORT/PATH (default: a reference server of its own).")] = None,
    fault: Annotated[list[str] | None, typer.Option(help="NAME[:rate] that the reference server is told to commit; repeatable.")] = None,
    spawn_rate: Annotated[float | None, typer.Option(help="Users who arrive in a second.")] = None,
    interval: Annotated[str | None, typer.Option(help="Mean time between two requests of one user.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="Generator processes.")] = 1,
    protocol: Annotated[str | None, typer.Option(help="How the target's stream is read.")] = None,
    secret: Annotated[str | None, typer.Option(envvar="STREAMGAUGE_SECRET", help="Mints the users' tokens.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the users' behaviour.")] = None,
    results: Annotated[Path, typer.Option(help="Where the result folder is made.")] = Path("results"),
) -> None:
    """Run a scenario, verify every event, and leave a report and a verdict in results/."""
    locustfile = scenarios.find(scenario)
    given = {
        "users": users,
        "duration": None if duration is None else seconds(duration),
        "target": target,
        "faults": tuple(fault) if fault else None,
        "spawn_rate": spawn_rate,
        "interval": None if interval is None else seconds(interval),
        "protocol": protocol,
        "seed": seed,
    }
    plan = _plan(locustfile, {key: value for key, value in given.items() if value is not None})
    require_files(plan.sockets, processes)
    if plan.target and plan.faults:
        raise UsageProblem("--fault needs the reference server: give no --target")
    if plan.target and not secret:
        raise UsageProblem("no secret: give --secret or set STREAMGAUGE_SECRET, it mints the users' tokens")
    try:
        folder = new_folder(results, plan.scenario)
    except OSError as error:
        raise UsageProblem(f"--results {results}: cannot be written ({error.strerror})") from error
    if plan.target:
        assert secret is not None
        code = _measure(locustfile, plan, folder, secret, processes)
    else:
        secret = secrets.token_urlsafe(32)
        with reference_server(secret, plan.faults, folder / "server.log") as (address, server):
            plan = msgspec.structs.replace(plan, target=address)
            code = _measure(locustfile, plan, folder, secret, processes)
            if server.poll() is not None:
                print(f"the reference server ended in mid-run (exit code {server.returncode}): see {folder}/server.log", file=sys.stderr)
    raise typer.Exit(code)


def _plan(locustfile: Path, changes: dict[str, object]) -> Plan:
    where = locustfile.with_suffix(".toml")
    try:
        plan = load_plan(where.read_text(encoding="utf-8"), str(where))
        return msgspec.convert(msgspec.to_builtins(plan) | changes, Plan)
    except (PlanError, msgspec.ValidationError) as error:
        raise UsageProblem(str(error)) from error


def _measure(locustfile: Path, plan: Plan, folder: Path, secret: str, processes: int) -> int:
    """Probe the target, then have Locust run the plan; its exit code."""
    dialect = PROTOCOLS[plan.protocol]
    try:
        probe(plan.target, dialect, mint_token("probe", secret, time.time()), plan.connect_timeout)
    except ProbeError as error:
        raise UsageProblem(str(error)) from error
    plan_file = folder / "plan.toml"
    plan_file.write_text(dump_plan(plan), encoding="utf-8")
    code = run_locust(locustfile, plan, plan_file, folder, secret, processes)
    if not (folder / "report.json").is_file():
        print(f"streamgauge: the generator ended without a report (exit code {code})", file=sys.stderr)
        return INTERNAL_ERROR
    return code
