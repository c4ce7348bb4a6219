"""What flags say, those that several commands have, and the flag to name where a plan's key is wrong."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from streamgauge.cli.errors import UsageProblem, why_unread
from streamgauge.plan import Plan, PlanError, load_plan, make_plan
from streamgauge.units import seconds

FLAGS: Final = {
    "users": "--users",
    "duration": "--duration",
    "target": "--target",
    "server": "--server",
    "ca_file": "--ca-file",
    "faults": "--fault",
    "thresholds": "--threshold",
    "spawn_rate": "--spawn-rate",
    "arrivals.interval": "--interval",
    "protocol": "--protocol",
    "processes": "--processes",
    "most_runs": "--most-runs",
    "abort_on": "--abort-on",
    "record": "--record",
    "seed": "--seed",
    "control": "--control",
}

Secret = Annotated[
    str | None, typer.Option(envvar="STREAMGAUGE_SECRET", help="What the target's tokens are signed with.")
]
AllowTarget = Annotated[list[str] | None, typer.Option(help="A host that is not this machine; repeatable.")]
Faults = Annotated[list[str] | None, typer.Option(help="A fault of the reference server; repeatable.")]
ProtocolName = Annotated[str | None, typer.Option(help="How the target's stream is read.")]


def seconds_of(text: str) -> float:
    """The parser of a flag that is a time (`500ms`, `5m`), in seconds; raises `typer.BadParameter`."""
    try:
        return seconds(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def by_flag(problem: str, given: Collection[str]) -> str:
    """The problem of a plan (`key: why`), with the flag in place of a key that is among those given."""
    key, _, why = problem.partition(": ")
    for known, flag in FLAGS.items():
        if known in given and key.partition("[")[0] in (known, known.partition(".")[0]):
            return f"{flag}: {why}"
    return problem


def planned(file: Path | None, flags: Mapping[str, object], more: Mapping[str, Sequence[str]]) -> Plan:
    """The plan of the file, or one of defaults, and the flags over it; those of `more` add to its lists.

    Raises `UsageProblem` naming the file or the flag.
    """
    try:
        plan = load_plan(file.read_text(encoding="utf-8"), str(file)) if file else Plan()
    except PlanError as error:
        raise UsageProblem(str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{file}: cannot be read ({why_unread(error)})") from error
    values = msgspec.to_builtins(plan) | flags
    try:
        return make_plan(values | {key: [*values[key], *added] for key, added in more.items()})
    except PlanError as error:
        said = by_flag(str(error), [*flags, *(key for key, added in more.items() if added)])
        raise UsageProblem(f"{file}: {said}" if file and said == str(error) else said) from error
