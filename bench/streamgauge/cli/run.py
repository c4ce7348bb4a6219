"""`streamgauge run`: one scenario against one target, judged."""

import shlex
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from streamgauge.cli import scenarios
from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.flags import by_flag
from streamgauge.cli.measure import measure
from streamgauge.cli.target import CaFile, trusting
from streamgauge.plan import Plan, PlanError, load_plan, make_plan
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
    scenario: Annotated[
        str | None, typer.Option(help="Its name, or the path of a Locust file (default: steady).")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", help="A plan (TOML); flags override it. `plan init` writes one.")
    ] = None,
    users: Annotated[int | None, typer.Option(help="How many users connect.")] = None,
    duration: Annotated[
        float | None, typer.Option(parser=_seconds, help="How long, the ramp included: 30s, 5m.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="ws[s]://HOST:PORT/PATH (default: a reference server of its own).")
    ] = None,
    ca_file: CaFile = None,
    server: Annotated[
        str,
        typer.Option(
            help="Command that starts the server, anew for this run; with --target, the one at that address."
        ),
    ] = "",
    fault: Annotated[
        list[str] | None,
        typer.Option(help="NAME[:rate] that the reference server is told to commit; repeatable."),
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(help="What must hold besides the plan's thresholds: 'p99(run) < 30s'; repeatable."),
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
    allow_target: Annotated[
        list[str] | None,
        typer.Option(help="A host that is not this machine and may be put under load; repeatable."),
    ] = None,
    results: Annotated[Path, typer.Option(help="Where the result folder is made.")] = Path("results"),
) -> None:
    """Run a scenario, verify every event, and leave a report and a verdict in results/."""
    flags: dict[str, object] = {
        "users": users,
        "duration": duration,
        "target": target,
        "faults": tuple(fault) if fault else None,
        "spawn_rate": spawn_rate,
        "protocol": protocol,
        "seed": seed,
        **trusting(ca_file),
    }
    changes: dict[str, object] = {key: value for key, value in flags.items() if value is not None}
    given = _plan(scenario, plan, changes, interval, threshold or [])
    where = f"{plan}: scenario:" if plan and not scenario else "--scenario"
    locustfile = scenarios.find(scenario or given.scenario, where)
    scenarios.require_slices(given, locustfile, str(plan or locustfile))
    command = shlex.split(server)
    measured = measure(locustfile, given, results, secret, processes, allow_target or [], server=command)
    raise typer.Exit(measured.code)


def _plan(
    scenario: str | None,
    file: Path | None,
    flags: dict[str, object],
    interval: float | None,
    thresholds: list[str],
) -> Plan:
    """The plan of the file, or else of the scenario, and the flags over it."""
    where = file or scenarios.find(scenario or "steady").with_suffix(".toml")
    given = {*flags}
    try:
        values = msgspec.to_builtins(load_plan(where.read_text(encoding="utf-8"), str(where))) | flags
    except PlanError as error:
        raise UsageProblem(str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{where}: cannot be read ({error})") from error
    if thresholds:
        given.add("thresholds")
        values["thresholds"] = [*values["thresholds"], *thresholds]
    try:
        if interval is not None:
            given.add("arrivals.interval")
            kind = values["arrivals"]["kind"]
            if "interval" not in values["arrivals"]:
                raise UsageProblem(f"--interval: arrivals of the kind {kind!r} have none")
            values["arrivals"]["interval"] = interval
        return make_plan(values)
    except PlanError as error:
        raise UsageProblem(by_flag(str(error), given)) from error
