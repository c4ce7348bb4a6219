"""`streamgauge capacity`: the largest number of users that keeps the thresholds, and what limits it."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from streamgauge.cli import scenarios
from streamgauge.cli.capacity_steps import Steps
from streamgauge.cli.errors import UsageProblem, why_unread
from streamgauge.cli.flags import AllowTarget, Secret, by_flag, seconds_of
from streamgauge.cli.generator import shown
from streamgauge.core.threshold import Level
from streamgauge.exit_code import INCONCLUSIVE, PASS
from streamgauge.plan import Plan, PlanError, load_plan, make_plan
from streamgauge.results import new_folder, write_whole
from streamgauge.study.capacity import Search, conclude
from streamgauge.study.capacity_forecast import forecast, model
from streamgauge.study.render_capacity import Study, render_markdown, render_text

EXAMPLES = """The file is a plan (docs/plans.md) with at least one threshold. Examples:

streamgauge capacity --slo slo.toml   (the reference server)

streamgauge capacity --slo slo.toml --target ws://127.0.0.1:8765/ws --from 50 --to 5000 --time 15m

streamgauge capacity --slo slo.toml --users 20000   (and what 20,000 users would take)

Exit codes: 0 an interval was found, 3 only a bound is known or the generator limits, 2 usage.
"""

_MOST: Final = 100_000  # users of a plan
_QUIETER: Final = 4
_STEP_S: Final = 20.0
_TIME_S: Final = 600.0


def capacity(  # noqa: PLR0913, PLR0917 - these are the options of a command
    slo: Annotated[Path, typer.Option("--slo", help="A plan (TOML) whose thresholds are to be kept.")],
    target: Annotated[
        str | None, typer.Option(help="ws://HOST:PORT/PATH (default: a reference server of its own).")
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(help="Command that starts the server, anew for each step; see `run --server`."),
    ] = None,
    first: Annotated[int, typer.Option("--from", min=1, help="Users of the first step.")] = 100,
    most: Annotated[int, typer.Option("--to", min=1, max=_MOST, help="Users of the largest step.")] = _MOST,
    step_time: Annotated[
        float | None,
        typer.Option(
            parser=seconds_of, help="How long a step lasts once all users are there (default: 20s)."
        ),
    ] = None,
    time: Annotated[
        float | None, typer.Option(parser=seconds_of, help="What the whole may take: 60s (default: 10m).")
    ] = None,
    retests: Annotated[int, typer.Option(min=0, help="Of each end of the interval; they must agree.")] = 2,
    within: Annotated[
        float, typer.Option(min=0.001, max=1, help="How close the ends are to be, as a part of the lower.")
    ] = 0.1,
    users: Annotated[int | None, typer.Option(min=1, help="A number to say of what it would take.")] = None,
    apart: Annotated[
        bool,
        typer.Option(
            "--apart",
            help="Two more steps with a quarter of the requests, that tell a socket's cost from an event's.",
        ),
    ] = False,
    processes: Annotated[int, typer.Option(min=1, help="Generator processes.")] = 1,
    secret: Secret = None,
    allow_target: AllowTarget = None,
    results: Annotated[Path, typer.Option(help="Where the result folder is made.")] = Path("results"),
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Find the largest number of users that keeps the thresholds, and what limits it."""
    if most < first:
        raise UsageProblem(f"--to {most}: it is below --from {first}")
    if step_time == 0:
        raise UsageProblem("--step-time 0: nothing can be measured in no time")
    flags = {"target": target, "server": server}
    plan = _plan(slo, {key: value for key, value in flags.items() if value is not None}, allow_target or ())
    quiet = _quieter(plan) if apart else None
    locustfile = scenarios.find(plan.scenario, f"{slo}: scenario:", slo.parent)
    try:
        folder = new_folder(results, "capacity")
    except OSError as error:
        raise UsageProblem(f"--results {results}: cannot be written ({error.strerror})") from error
    search = Search(first, most, retests, within)

    def study(so_far: Steps) -> Study:
        found, costs = conclude(search, so_far.steps), model(so_far.steps, so_far.quiet)
        return Study(
            scenario=plan.name,
            command=shown([Path(sys.argv[0]).name, *sys.argv[1:]]),
            search=search,
            steps=tuple(so_far.steps),
            purposes=tuple(so_far.purposes),
            quiet=tuple(so_far.quiet),
            capacity=found,
            ended=so_far.ended,
            model=costs,
            forecast=forecast(costs, found, users) if users else None,
        )

    def keep(so_far: Steps) -> None:
        """Write what is known: a search that is killed leaves that much."""
        found = study(so_far)
        write_whole(folder / "capacity.json", _json(found))
        write_whole(folder / "report.md", render_markdown(found).encode())

    steps = Steps(locustfile, plan, folder, secret, processes, quiet=quiet)
    steps.take(search, step_time or _STEP_S, _TIME_S if time is None else time, keep)
    found = study(steps)
    typer.echo(
        _json(found).decode() if json else render_text(found, path=str(folder / "report.md")), nl=False
    )
    raise typer.Exit(PASS if found.capacity.found else INCONCLUSIVE)


def _quieter(plan: Plan) -> Plan:
    """The same with a quarter of the requests."""
    values = msgspec.to_builtins(plan)
    if "interval" not in values["arrivals"]:
        raise UsageProblem(f"--apart: arrivals of the kind {values['arrivals']['kind']!r} have no interval")
    values["arrivals"]["interval"] *= _QUIETER
    return make_plan(values)


def _json(of: Study) -> bytes:
    return msgspec.json.format(msgspec.json.encode(of), indent=2) + b"\n"


def _plan(slo: Path, flags: dict[str, str], allowed: Sequence[str]) -> Plan:
    """The plan of the file and the flags over it, with a threshold that can fail."""
    try:
        values = msgspec.to_builtins(load_plan(slo.read_text(encoding="utf-8"), str(slo)))
        plan = make_plan(values | flags | {"allow_target": [*values["allow_target"], *allowed]})
    except PlanError as error:
        raise UsageProblem(by_flag(str(error), flags)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{slo}: cannot be read ({why_unread(error)})") from error
    if not any(gate.level is Level.FAIL for gate in plan.gates):
        raise UsageProblem(
            f"{slo}: thresholds: there is none that could fail, so that nothing would end the search; "
            'add one, such as thresholds = ["p99(first_event) < 500ms"]'
        )
    return plan
