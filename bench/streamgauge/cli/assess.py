"""`streamgauge assess`: the whole assessment before a release, in one go."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from streamgauge.cli import scenarios
from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.measure import measure
from streamgauge.cli.target import CaFile, trusting
from streamgauge.cli.validate import is_controlled, look_once
from streamgauge.core.finding import Outcome
from streamgauge.exit_code import OF_OUTCOME
from streamgauge.plan import Plan, PlanError, load_plan, make_plan
from streamgauge.report import wording
from streamgauge.report.render_json import read_json
from streamgauge.results import new_folder
from streamgauge.study.assessment import (
    PARTS,
    Look,
    decide,
    merge_junit,
    render_markdown,
    render_text,
    seconds_for,
)
from streamgauge.units import seconds

EXAMPLES = """Examples:

streamgauge assess   (the reference server)

streamgauge assess --target ws://127.0.0.1:8765/ws --time 60s   (in CI; STREAMGAUGE_SECRET is set)
"""

_TIME_S = 600.0  # no default of the option's: typer would read that as text
_VERDICT_WIDTH = 100


def _seconds(text: str) -> float:
    try:
        return seconds(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def assess(
    target: Annotated[
        str, typer.Option(help="ws[s]://HOST:PORT/PATH (default: a reference server of its own).")
    ] = "",
    ca_file: CaFile = None,
    time: Annotated[
        float | None, typer.Option(parser=_seconds, help="What it may take: 10m (the default), 60s.")
    ] = None,
    users: Annotated[int | None, typer.Option(help="Users of every look (default: each scenario's).")] = None,
    fault: Annotated[
        list[str] | None, typer.Option(help="A fault of the reference server; repeatable.")
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option(envvar="STREAMGAUGE_SECRET", help="What the target's tokens are signed with."),
    ] = None,
    allow_target: Annotated[
        list[str] | None, typer.Option(help="A host that is not this machine; repeatable.")
    ] = None,
    results: Annotated[Path, typer.Option(help="Where the result folder is made.")] = Path("results"),
) -> None:
    """Validate, load, isolate, burst, interrupt and weigh a target: go or no-go, and why."""
    changes: dict[str, object] = {"target": target, "faults": tuple(fault or ()), **trusting(ca_file)}
    if users is not None:
        changes["users"] = users
    try:
        folder = new_folder(results, "assess")
    except OSError as error:
        raise UsageProblem(f"--results {results}: cannot be written ({error.strerror})") from error
    looks = [look_once(_plan("steady", changes), secret, allow_target or ())]
    typer.echo(f"{looks[0].name}: {looks[0].verdict}", err=True)
    for scenario in PARTS:
        plan = _plan(
            scenario, {**changes, "duration": seconds_for(scenario, _TIME_S if time is None else time)}
        )
        if plan.target and plan.measures and not is_controlled(plan, secret, allow_target or ()):
            look = Look(scenario, None, "not measured: the target is under no measuring controls")
        else:
            look = _look(plan, folder, secret, allow_target or [])
        typer.echo(f"{look.name}: {look.verdict}", err=True)
        looks.append(look)
    parts = [(look.name, Path(look.folder, "junit.xml")) for look in looks if look.folder]
    (folder / "junit.xml").write_bytes(
        merge_junit([(name, path.read_bytes()) for name, path in parts if path.is_file()])
    )
    (folder / "report.md").write_text(render_markdown(looks), encoding="utf-8")
    typer.echo(render_text(looks, str(folder)), nl=False)
    raise typer.Exit(OF_OUTCOME[decide(looks)])


def _plan(scenario: str, changes: dict[str, object]) -> Plan:
    where = scenarios.find(scenario).with_suffix(".toml")
    try:
        plan = load_plan(where.read_text(encoding="utf-8"), str(where))
        return make_plan(msgspec.to_builtins(plan) | changes)
    except PlanError as error:
        raise UsageProblem(str(error)) from error


def _look(plan: Plan, results: Path, secret: str | None, allowed: list[str]) -> Look:
    """One scenario, as `streamgauge run` would run it, but for its words."""
    measured = measure(scenarios.find(plan.scenario), plan, results, secret, 1, allowed, quiet=True)
    source = measured.folder / "report.json"
    if not source.is_file() or not source.stat().st_size:
        return Look(plan.scenario, Outcome.UNKNOWN, "ended without a report", str(measured.folder))
    report = read_json(source.read_bytes())
    return Look(plan.scenario, report.outcome, wording.verdict(report, _VERDICT_WIDTH), str(measured.folder))
