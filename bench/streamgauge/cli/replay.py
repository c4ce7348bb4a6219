"""`streamgauge replay`: whether a finding happens again, and how often."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from streamgauge.cast import Cast
from streamgauge.cli import scenarios
from streamgauge.cli.errors import UsageProblem, why_unread
from streamgauge.cli.flags import AllowTarget, Secret, by_flag
from streamgauge.cli.interruption import Interrupted
from streamgauge.cli.measure import measure, require_possible
from streamgauge.cli.target import CaFile, trusting
from streamgauge.core.checks.sides import Rows
from streamgauge.core.finding import VERDICT, Finding
from streamgauge.core.recording import Recording, RecordingError
from streamgauge.core.timeline import Origin
from streamgauge.plan import PLAN_FILE, Plan, PlanError, load_plan, make_plan
from streamgauge.recordings import behind
from streamgauge.report import wording
from streamgauge.report.model import Report
from streamgauge.report.render_json import ReportError, read_json
from streamgauge.results import new_folder, write_whole
from streamgauge.study.compare import REPORT
from streamgauge.study.recurrence import (
    Attempt,
    CannotReplay,
    Recurrence,
    Said,
    cast_of,
    conclude,
    conducts,
    exit_code,
    recurs,
    replay_plan,
    said_in,
)
from streamgauge.study.render_recurrence import attempt as attempt_in_words
from streamgauge.study.render_recurrence import beginning, verdict

EXAMPLES = """Examples:

streamgauge replay results/20261122-081500-steady-3f2a1c9#seq-contiguous-1

streamgauge replay results/20261122-081500-isolation-3f2a1c9#isolation-canary-2 --times 30
"""

CAST: Final = "cast.json"
_SHOWN: Final = 10  # names of findings in an error


def replay(
    finding: Annotated[
        str, typer.Argument(metavar="RESULT#FINDING", help="A result folder, and a finding of its report.")
    ],
    times: Annotated[int, typer.Option(min=1, max=10_000, help="How many times it is driven.")] = 10,
    target: Annotated[
        str | None,
        typer.Option(help="ws[s]://HOST:PORT/PATH (default: where, or how, the run was made)."),
    ] = None,
    ca_file: CaFile = None,
    secret: Secret = None,
    allow_target: AllowTarget = None,
    results: Annotated[Path, typer.Option(help="Where the result folder is made.")] = Path("results"),
) -> None:
    """Have a finding's users ask once more what they asked then, when they did, and see if it recurs."""
    source, found, report = _finding(finding)
    plan = _plan(source, target, ca_file, allow_target or ())
    locustfile = scenarios.find(plan.scenario, f"{source}: scenario:", source, planned=True)
    users = conducts(_rows(source))
    try:
        cast = cast_of(found, report.began_ns, users)
        plan = replay_plan(plan, cast, found)
    except CannotReplay as error:
        raise UsageProblem(f"{finding}: it cannot be driven: {error}") from error
    require_possible(plan, secret, 1)
    said = said_in(users, cast, report.began_ns)
    folder = _folder(results, cast)
    so_far: list[Attempt] = []
    typer.echo(beginning(_concluded(found, source, cast, said, so_far), times), nl=False)
    if not locustfile.parent.samefile(scenarios.folder()):
        typer.echo(
            f"{locustfile.name} is a scenario of your own: what it draws or says by itself may differ",
            err=True,
        )
    for number in range(1, times + 1):
        try:
            one, interrupted = _attempt(found, plan, locustfile, folder, secret, cast, said, number)
        except Interrupted:
            break
        so_far.append(one)
        write_whole(folder / "replay.json", _json(_concluded(found, source, cast, said, so_far)))
        typer.echo(attempt_in_words(one, number, times))
        if interrupted:
            break
    if not so_far:
        raise Interrupted
    whole = _concluded(found, source, cast, said, so_far)
    typer.echo(f"\n{verdict(whole)}", nl=False)
    raise typer.Exit(exit_code(whole))


def _concluded(
    found: Finding, source: Path, cast: Cast, said: Counter[Said], attempts: Sequence[Attempt]
) -> Recurrence:
    return conclude(found, str(source), cast, said.total(), attempts)


def _json(of: Recurrence) -> bytes:
    return msgspec.json.format(msgspec.json.encode(of), indent=2) + b"\n"


def _finding(given: str) -> tuple[Path, Finding, Report]:
    """The result folder, the finding and the report that `RESULT#FINDING` names."""
    folder, mark, name = given.rpartition("#")
    source = Path(folder if mark else given)
    try:
        report = read_json((source / REPORT).read_bytes())
    except OSError as error:
        raise UsageProblem(
            f"{source / REPORT}: cannot be read ({error.strerror}); is it a result folder?"
        ) from error
    except ReportError as error:
        raise UsageProblem(f"{source / REPORT}: {error}") from error
    known = {found.id: found for verdict in report.verdicts for found in verdict.findings}
    if not known:
        raise UsageProblem(f"{source}: there is no finding in its report")
    if name not in known:
        some = ", ".join([*known][:_SHOWN]) + (" …" if len(known) > _SHOWN else "")
        raise UsageProblem(f"{given}: name a finding, as in {source}#{next(iter(known))}; there are {some}")
    return source, known[name], report


def _plan(source: Path, target: str | None, ca_file: Path | None, allowed: Sequence[str]) -> Plan:
    """The plan of the run, at another target where one is given: that commits no faults for us."""
    path = source / PLAN_FILE
    try:
        plan = load_plan(path.read_text(encoding="utf-8"), str(path))
        other = {"target": target, "server": "", "faults": ()} if target else {}
        more = {"allow_target": [*plan.allow_target, *allowed]}
        return make_plan(msgspec.to_builtins(plan) | other | trusting(ca_file) | more)
    except PlanError as error:
        raise UsageProblem(by_flag(str(error), ["target"] * (target is not None))) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{path}: cannot be read ({why_unread(error)})") from error


def _rows(folder: Path) -> list[Rows]:
    """What the recordings of a run hold, on the clock of the first."""
    paths = sorted(folder.glob("recording/*.sgr"))
    if not paths:
        raise UsageProblem(
            f"{folder}: no recording in it (recording/*.sgr), so that nobody knows who asked when"
        )
    try:
        read = [Recording.of(path.read_bytes()) for path in paths]
    except OSError as error:
        raise UsageProblem(f"{folder}: its recording cannot be read ({error.strerror})") from error
    except RecordingError as error:
        raise UsageProblem(f"{folder}: {error}") from error
    origins = [Origin(one.header.clock, one.header.epoch_ns) for one in read]
    return [Rows(one.rows, behind(origin, origins[0])) for one, origin in zip(read, origins, strict=True)]


def _folder(results: Path, cast: Cast) -> Path:
    try:
        folder = new_folder(results, "replay")
        (folder / CAST).write_bytes(msgspec.json.encode(cast))
    except OSError as error:
        raise UsageProblem(f"--results {results}: cannot be written ({error.strerror})") from error
    return folder


def _attempt(
    found: Finding,
    plan: Plan,
    locustfile: Path,
    folder: Path,
    secret: str | None,
    cast: Cast,
    said: Counter[Said],
    number: int,
) -> tuple[Attempt, bool]:
    """Drive it once; and whether that was interrupted.

    Where the reference server is ours its faults strike by a seed of this replay: by the same one they
    would strike the same runs each time, and say nothing of how often.
    """
    anew = ("--fault-seed", str(number)) if plan.faults and not (plan.target or plan.command) else ()
    where = folder / CAST
    try:
        measured = measure(locustfile, plan, folder, secret, 1, quiet=True, cast=where, server_flags=anew)
    except UsageProblem as problem:
        return Attempt(None, str(problem), of=said.total()), False
    try:
        report = read_json((measured.folder / REPORT).read_bytes())
        (recording,) = (Recording.of(path.read_bytes()) for path in measured.folder.glob("recording/*.sgr"))
    except (OSError, ValueError):
        missing = Attempt(None, "it ended without a report", of=said.total(), folder=str(measured.folder))
        return missing, measured.interrupted
    sent = said_in(conducts([Rows(recording.rows)]), cast, recording.header.began_ns - cast.starts_ns)
    again = recurs(found, report)
    void = next((wording.doubt(doubt) for doubt in report.doubts if doubt.voids == VERDICT), "")
    why = void or ("" if sent else "no request was sent")
    return Attempt(
        recurred=True if again else None if why or measured.interrupted else False,
        said=wording.finding(again) if again else why,
        same=(said & sent).total(),
        of=said.total(),
        folder=str(measured.folder),
    ), measured.interrupted
