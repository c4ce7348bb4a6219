"""`streamgauge check`: the verdict of a recording, drawn again."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from streamgauge import checker
from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.recorded import cut_off, ends_of, recorded_doubts
from streamgauge.control_files import FOLDER, read_control, read_strikes
from streamgauge.core.analysis import AnalysisState
from streamgauge.core.assembly import MisplacedRow
from streamgauge.core.checks.sides import Rows
from streamgauge.core.contract import Rule
from streamgauge.core.control import Control, control_of
from streamgauge.core.memory import Series
from streamgauge.core.recording import Recording, RecordingError
from streamgauge.core.resources import ServerAccount
from streamgauge.core.timeline import Origin, time_of_day
from streamgauge.environment import environment
from streamgauge.exit_code import OF_OUTCOME
from streamgauge.plan import PLAN_FILE, PlanError, load_plan, make_plan
from streamgauge.recordings import behind
from streamgauge.report.conclude import conclude
from streamgauge.report.model import Fault, Worker
from streamgauge.report.render_json import ReportError, read_json, render_json
from streamgauge.report.render_text import render_text
from streamgauge.report.worker import worker
from streamgauge.results import SERVER_FILE, read_campaign
from streamgauge.study.compare import REPORT
from streamgauge.study.rejudge import MixedRecordings

EXAMPLES = """Examples:

streamgauge check results/20261122-081500-steady-3f2a1c9

streamgauge check worker-0.sgr worker-1.sgr --json
"""


def check(
    recordings: Annotated[list[Path], typer.Argument(help="A result folder, or the recordings of one run.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print report.json instead of text.")] = False,
) -> None:
    """Judge a recording again, without any server: the same rows give the same verdict."""
    paths = [path for given in recordings for path in _files(given)]
    read = [_read(path) for path in paths]
    try:
        checked = checker.check(read)
    except MixedRecordings as error:
        raise UsageProblem(f"{error}: check the recordings of one run at a time") from error
    except MisplacedRow as error:
        raise UsageProblem(f"{paths[0]}: no recording that streamgauge wrote: {error}") from error
    state, plan = checked.state, _plan(recordings[0])
    report = conclude(
        state,
        plan=plan or {"scenario": "recording"},
        required=[Rule(name) for name in read[0].header.required],
        promises=frozenset(map(Rule, read[0].header.promises)),
        thresholds=read[0].header.thresholds,
        environment=environment(_start_of(state, read[0]) or datetime.now(UTC)),
        doubts=[
            *recorded_doubts(read, checked.states, state, _planned_users(recordings[0], state)),
            *cut_off(zip(paths, read, strict=True)),
        ],
        cut_short=any(end.cut_short for end in ends_of(read)),
        faults=_faults(recordings[0], plan),
        workers=_workers(read, checked.states),
        recordings=[str(path) for path in paths],
        epoch_ns=read[0].header.epoch_ns,
        rows=[Rows(one.rows, behind(_origin(one), _origin(read[0]))) for one in read],
        control=_control(recordings[0]) if plan.get("control") else None,
        attack=read_campaign(recordings[0]),
        account=_account(paths[0]),
        memory=_memory(read),
    )
    typer.echo(render_json(report) if json else render_text(report), nl=False)
    raise typer.Exit(OF_OUTCOME[report.outcome])


def _files(given: Path) -> Sequence[Path]:
    if not given.is_dir():
        return [given]
    found = sorted(given.glob("recording/*.sgr"))
    if not found:
        raise UsageProblem(f"{given}: no recording in it (recording/*.sgr)")
    return found


def _read(path: Path) -> Recording:
    try:
        return Recording.of(path.read_bytes())
    except OSError as error:
        raise UsageProblem(
            f"{path}: cannot be read ({error.strerror}); is it a result folder, or a recording (*.sgr)?"
        ) from error
    except RecordingError as error:
        raise UsageProblem(f"{path}: {error}") from error


def _plan(given: Path) -> dict[str, object]:
    """The plan beside the recording, where there is one."""
    path = given / PLAN_FILE
    try:
        plan: dict[str, object] = msgspec.to_builtins(load_plan(path.read_text(encoding="utf-8"), str(path)))
    except (OSError, PlanError):
        return {}
    return plan


def _faults(given: Path, plan: dict[str, object]) -> Sequence[Fault]:
    """What the server committed on purpose, by the report beside the recording: no row tells how often."""
    try:
        return read_json((given / REPORT).read_bytes()).faults
    except (OSError, ReportError):
        return [Fault(name, None) for name in msgspec.convert(plan.get("faults", ()), tuple[str, ...])]


def _control(given: Path) -> Control:
    """What the control of the live run came to, its traffic judged again."""
    live = read_control(given)
    if live is None or live.problem:
        return live or Control(problem=f"there is none in {given}")
    read = [_read(path) for path in _files(given / FOLDER)]
    promises = frozenset(map(Rule, read[0].header.promises))
    again = conclude(
        checker.check(read).state,
        plan={},
        required=(),
        promises=promises,
        environment=environment(datetime.now(UTC)),
    )
    return control_of(read_strikes(given), again.verdicts, promises)


def _account(path: Path) -> ServerAccount | None:
    """What the server said it held, which lies beside the recordings."""
    beside = path.with_name(Path(SERVER_FILE).name)
    try:
        return msgspec.json.decode(beside.read_bytes(), type=ServerAccount)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise UsageProblem(f"{beside}: it cannot be read: it is damaged, or of another version") from error


def _memory(recordings: Sequence[Recording]) -> list[Series]:
    """That of the workers that came to their end, as the live run counts them."""
    return [
        Series(recording.header.worker, recording.end.vitals.memory)
        for recording in recordings
        if recording.end is not None and recording.end.vitals is not None
    ]


def _planned_users(given: Path, state: AnalysisState) -> int:
    """How many users were to connect; 0 where nobody knows, or the run was cut short."""
    try:
        plan = make_plan(_plan(given)) if _plan(given) else None
    except PlanError:
        return 0
    if plan is None or state.ended_ns - state.began_ns < plan.duration * 1e9:
        return 0
    return plan.users


def _origin(recording: Recording) -> Origin:
    return Origin(recording.header.clock, recording.header.epoch_ns)


def _start_of(state: AnalysisState, first: Recording) -> datetime | None:
    """When the run began, of which `state` is told in the first recording's clock."""
    return time_of_day(_origin(first), state.began_ns)


def _workers(recordings: Sequence[Recording], states: Sequence[AnalysisState]) -> list[Worker]:
    """Those that came to their end, as the live run counts them."""
    return [
        worker(recording.header.worker, state, recording.end.cpu_s, recording.end.vitals)
        for recording, state in zip(recordings, states, strict=True)
        if recording.end is not None and recording.end.cpu_s is not None
    ]
