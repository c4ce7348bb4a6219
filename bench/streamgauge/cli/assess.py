"""`streamgauge assess`: the whole assessment before a release, in one go."""

import os
import time as clock
from collections.abc import Iterator, Mapping
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import Annotated, Final

import typer
from msgspec.structs import replace

from streamgauge.cli import scenarios
from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.flags import AllowTarget, Faults, ProtocolName, Secret, by_flag, planned, seconds_of
from streamgauge.cli.interruption import Interrupted, interruptible
from streamgauge.cli.measure import measure, require_possible
from streamgauge.cli.target import CaFile, trusting
from streamgauge.cli.validate import is_controlled, look_once
from streamgauge.core.finding import Outcome
from streamgauge.exit_code import OF_OUTCOME
from streamgauge.plan import Plan, PlanError, load_plan
from streamgauge.report import wording
from streamgauge.report.render_json import read_json
from streamgauge.report.render_trend import TREND_FILE
from streamgauge.results import TREND_VARIABLE, new_folder
from streamgauge.study.assessment import (
    INTERRUPTED,
    Look,
    cut_short,
    decide,
    merge_junit,
    render_markdown,
    render_text,
)
from streamgauge.study.looks import PARTS, least_s, left_out, load_s, look_plan

EXAMPLES = """Examples:

streamgauge assess   (the reference server)

streamgauge assess --target ws://127.0.0.1:8765/ws --time 60s   (in CI; STREAMGAUGE_SECRET is set)

streamgauge assess --plan mine.toml --threshold "p99(first_event) < 500ms"   (its users and limits)
"""

_TIME_S: Final = 600.0  # no default of the option's: typer would read that as text
_VERDICT_WIDTH: Final = 100


def assess(  # noqa: PLR0913, PLR0917 - these are the options of a command
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan", help="Whose target, protocol, personas and limits are taken (TOML); flags override it."
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="ws[s]://HOST:PORT/PATH (default: a reference server of its own).")
    ] = None,
    ca_file: CaFile = None,
    protocol: ProtocolName = None,
    time: Annotated[
        float | None, typer.Option(parser=seconds_of, help="What it may take: 10m (the default), 60s.")
    ] = None,
    users: Annotated[
        int | None, typer.Option(help="Users of every look (default: each scenario's, at most the plan's).")
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(help="What must hold in every look under load: 'p99(run) < 30s'; repeatable."),
    ] = None,
    fault: Faults = None,
    secret: Secret = None,
    allow_target: AllowTarget = None,
    results: Annotated[Path, typer.Option(help="Where the result folder is made.")] = Path("results"),
) -> None:
    """Validate, load, isolate, burst, interrupt and weigh a target: go or no-go, and why."""
    flags = {"target": target, "protocol": protocol, "faults": tuple(fault) if fault else None}
    changes = {key: value for key, value in flags.items() if value is not None} | trusting(ca_file)
    given = planned(plan, changes, {"thresholds": threshold or [], "allow_target": allow_target or []})
    time_s = _TIME_S if time is None else time
    order = {name: left_out(name, given.protocol) or _plan(name, given, users) for name in PARTS}
    plans = [one for one in order.values() if isinstance(one, Plan)]
    for one in plans:
        require_possible(one, secret, 1)
    if time_s < (least := least_s(given, plans)):
        raise UsageProblem(f"--time {time_s:g}s: its {len(plans) + 1} looks need {ceil(least)}s at least")
    typer.echo(f"validate, {', '.join(one.scenario for one in plans)}: about {time_s:.0f} s", err=True)
    if plan and given.scenario not in PARTS:
        typer.echo(
            f"{plan}: its scenario {given.name} is not among them: `streamgauge run --plan {plan}` runs it",
            err=True,
        )
    os.environ[TREND_VARIABLE] = str(results / TREND_FILE)  # not in the folder that holds all looks
    ends_s = clock.monotonic() + time_s
    with interruptible():  # there is nothing to judge before its end
        looks = [look_once(given, secret)]
        folder = _folder(results)
    _tell(looks[0])
    with suppress(Interrupted), interruptible():
        for look in _looks(order, folder, secret, ends_s, time_s):
            looks.append(look)
            _tell(look)
    done = {look.name for look in looks}
    looks += [Look(name, Outcome.UNKNOWN, INTERRUPTED) for name in PARTS if name not in done]
    (folder / "junit.xml").write_bytes(merge_junit([(look, _junit(look)) for look in looks]))
    (folder / "report.md").write_text(render_markdown(looks), encoding="utf-8")
    typer.echo(render_text(looks, str(folder)), nl=False)
    raise typer.Exit(OF_OUTCOME[decide(looks)])


def _plan(scenario: str, given: Plan, users: int | None) -> Plan:
    where = scenarios.find(scenario).with_suffix(".toml")
    try:
        return look_plan(load_plan(where.read_text(encoding="utf-8"), str(where)), given, users)
    except PlanError as error:
        raise UsageProblem(by_flag(str(error), ["users"] * (users is not None))) from error


def _folder(results: Path) -> Path:
    try:
        return new_folder(results, "assess")
    except OSError as error:
        raise UsageProblem(f"--results {results}: cannot be written ({error.strerror})") from error


def _looks(
    order: Mapping[str, Plan | str],
    results: Path,
    secret: str | None,
    ends_s: float,
    time_s: float,
) -> Iterator[Look]:
    """Look after look, each for its part of the time that is left; the last one may have been interrupted."""
    rest = [plan for plan in order.values() if isinstance(plan, Plan)]
    for name, plan in order.items():
        if isinstance(plan, str):
            yield Look(name, None, plan)
            continue
        lasts_s = load_s(rest, ends_s - clock.monotonic(), time_s)
        rest = rest[1:]
        if not lasts_s:
            yield Look(name, Outcome.UNKNOWN, "the time was over: what came before it took too long")
            continue
        look, interrupted = _look(replace(plan, duration=lasts_s), results, secret)
        yield cut_short(look) if interrupted else look
        if interrupted:
            return


def _look(plan: Plan, results: Path, secret: str | None) -> tuple[Look, bool]:
    """One scenario, as `streamgauge run` would run it, but for its words; and whether it was interrupted."""
    name = plan.scenario
    try:
        if plan.target and plan.measures and not is_controlled(plan, secret):
            return Look(name, None, "not measured: the target is under no measuring controls"), False
        measured = measure(scenarios.find(name), plan, results, secret, 1, quiet=True)
    except UsageProblem as problem:
        return Look(name, Outcome.UNKNOWN, f"could not be measured: {problem}"), False
    source, folder = measured.folder / "report.json", str(measured.folder)
    if not source.is_file() or not source.stat().st_size:
        return Look(name, Outcome.UNKNOWN, "ended without a report", folder), measured.interrupted
    report = read_json(source.read_bytes())
    verdict = wording.verdict(report, _VERDICT_WIDTH)
    return Look(name, report.outcome, verdict, folder), measured.interrupted


def _tell(look: Look) -> None:
    typer.echo(f"{look.name}: {look.verdict}", err=True)


def _junit(look: Look) -> bytes:
    """What its run left; nothing where there was none."""
    path = Path(look.folder, "junit.xml")
    return path.read_bytes() if look.folder and path.is_file() else b""
