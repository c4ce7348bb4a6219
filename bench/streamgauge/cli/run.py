"""`streamgauge run`: one scenario against one target, judged."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec.structs import replace

from streamgauge.cli import scenarios
from streamgauge.cli.errors import UsageProblem, why_unread
from streamgauge.cli.flags import ProtocolName, Secret, by_flag, seconds_of
from streamgauge.cli.measure import measure
from streamgauge.cli.target import CaFile, trusting
from streamgauge.plan import Plan, PlanError, at_another_server, load_plan, make_plan

EXAMPLES = """Examples:

streamgauge run --users 1000 --duration 30s

streamgauge run --scenario isolation --target ws://127.0.0.1:8765/ws   (STREAMGAUGE_SECRET is set)

streamgauge run --fault drop-thinking   (exit code 1: the fault is found)
"""


def run(  # noqa: PLR0913, PLR0917 - these are the options of a command
    scenario: Annotated[
        str | None, typer.Option(help="Its name, or the path of a Locust file (default: steady).")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", help="A plan (TOML); flags override it. `plan init` writes one.")
    ] = None,
    users: Annotated[int | None, typer.Option(help="How many users connect.")] = None,
    duration: Annotated[
        float | None, typer.Option(parser=seconds_of, help="How long, the ramp included: 30s, 5m.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="ws[s]://HOST:PORT/PATH (default: a reference server of its own).")
    ] = None,
    ca_file: CaFile = None,
    server: Annotated[
        str | None,
        typer.Option(
            help="Command that starts the server, anew for this run; with --target, the one at that address. "
            '"": none, where the plan has one.'
        ),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME[:rate] that the reference server is told to commit, or NAME:rate:time "
            "(silence:0.01:3s); repeatable."
        ),
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(help="What must hold besides the plan's thresholds: 'p99(run) < 30s'; repeatable."),
    ] = None,
    abort_on: Annotated[
        list[str] | None,
        typer.Option(help="What stops the run besides the plan's conditions: 'leaks > 0'; repeatable."),
    ] = None,
    most_runs: Annotated[
        int | None, typer.Option(help="How many runs all users together may ask for; 0: no cap.")
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(help="rows, or raw: also every message as it was said, secrets redacted."),
    ] = None,
    spawn_rate: Annotated[float | None, typer.Option(help="Users who arrive in a second.")] = None,
    interval: Annotated[
        float | None, typer.Option(parser=seconds_of, help="Mean time between two requests of one user.")
    ] = None,
    processes: Annotated[int | None, typer.Option(help="Generator processes.")] = None,
    protocol: ProtocolName = None,
    secret: Secret = None,
    seed: Annotated[int | None, typer.Option(help="Of the users' behaviour.")] = None,
    allow_target: Annotated[
        list[str] | None,
        typer.Option(help="A host that is not this machine and may be put under load; repeatable."),
    ] = None,
    allow_attack: Annotated[
        list[str] | None,
        typer.Option(help="The target's host: that the scenario attack may attack it; repeatable."),
    ] = None,
    results: Annotated[Path, typer.Option(help="Where the result folder is made.")] = Path("results"),
    control: Annotated[
        bool,
        typer.Option(
            "--control",
            help="Seed a leak, a loss and a swap beside the run: all are caught, or it is invalid.",
        ),
    ] = False,
) -> None:
    """Run a scenario, verify every event, and leave a report and a verdict in results/."""
    flags: dict[str, object] = {
        "users": users,
        "duration": duration,
        "target": target,
        "server": server,
        "faults": tuple(fault) if fault else None,
        "spawn_rate": spawn_rate,
        "protocol": protocol,
        "processes": processes,
        "most_runs": most_runs,
        "record": record,
        "seed": seed,
        "control": control or None,
        **trusting(ca_file),
    }
    changes: dict[str, object] = {key: value for key, value in flags.items() if value is not None}
    more = {"thresholds": threshold or [], "abort_on": abort_on or [], "allow_target": allow_target or []}
    given, locustfile = _plan(scenario, plan, changes, interval, more)
    allowed = (*given.attack.allow, *(allow_attack or ()))
    given = replace(given, attack=replace(given.attack, allow=allowed))
    scenarios.require_effect(given, locustfile, str(plan or locustfile))
    measured = measure(locustfile, given, results, secret, given.processes)
    raise typer.Exit(measured.code)


def _plan(
    scenario: str | None,
    file: Path | None,
    flags: Mapping[str, object],
    interval: float | None,
    more: Mapping[str, Sequence[str]],
) -> tuple[Plan, Path]:
    """The plan of the file, or else of the scenario, with the flags over it, and its Locust file.

    `more` are flags that add to what the plan lists.
    """
    where = file or scenarios.find(scenario or "steady").with_suffix(".toml")
    try:
        text = where.read_text(encoding="utf-8")
        planned = load_plan(text, str(where))
    except PlanError as error:
        raise UsageProblem(str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{where}: cannot be read ({why_unread(error)})") from error
    if file is None and flags.get("target"):
        planned = at_another_server(planned)
    values = msgspec.to_builtins(planned) | flags
    named = "scenario" in msgspec.toml.decode(text)
    locustfile = _locustfile(scenario, file, values["scenario"], named=named)
    if scenario:
        values["scenario"] = scenario
    for key, added in more.items():
        values[key] = [*values[key], *added]
    given = {*flags, *(key for key, added in more.items() if added)}
    try:
        if interval is not None:
            given.add("arrivals.interval")
            kind = values["arrivals"]["kind"]
            if "interval" not in values["arrivals"]:
                raise UsageProblem(f"--interval: arrivals of the kind {kind!r} have none")
            values["arrivals"]["interval"] = interval
        return make_plan(values), locustfile
    except PlanError as error:
        said = by_flag(str(error), given)
        raise UsageProblem(f"{where}: {said}" if said == str(error) else said) from error


def _locustfile(flag: str | None, file: Path | None, planned: str, *, named: bool) -> Path:
    """The Locust file that the flag names, or else the plan; the two may not name different ones."""
    if file is None:
        return scenarios.find(flag or "steady")
    if not named:  # the plan leaves it open
        return scenarios.find(flag or planned, planned=True)
    of_plan = scenarios.find(planned, f"{file}: scenario:", file.parent, planned=True)
    if flag and not scenarios.find(flag, planned=True).samefile(of_plan):
        raise UsageProblem(
            f"--scenario {flag}: {file} is a plan of {planned}: leave the flag out, or give another plan"
        )
    return of_plan
