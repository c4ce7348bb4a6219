"""`streamgauge calibrate`: the instrument against a server whose delays are known."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from msgspec import Struct
from msgspec.structs import replace

from streamgauge.cli import scenarios
from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.flags import seconds_of
from streamgauge.cli.interruption import Interrupted, ending_with_us
from streamgauge.cli.measure import measure
from streamgauge.core.observation import Received
from streamgauge.core.recording import Recording, RecordingError
from streamgauge.core.stretch import unfolded
from streamgauge.core.truth import Sent, TruthError, decode
from streamgauge.exit_code import OF_OUTCOME
from streamgauge.plan import Plan, PlanError, make_plan
from streamgauge.report.model import Report
from streamgauge.report.render_json import ReportError, read_json
from streamgauge.results import new_folder
from streamgauge.study.calibration import (
    Load,
    Taken,
    conclude,
    cpu_share,
    events_of,
    hold,
    is_near,
    next_interval,
)
from streamgauge.study.render_calibration import render_text

EXAMPLES = """Examples:

streamgauge calibrate

streamgauge calibrate --duration 1m --json > calibration.json
"""

_LEVELS: Final = {"20 %": 0.2, "70 %": 0.7}  # of a core, for the generator
_BESIDE: Final = 0.2  # the load of the generator that shares its core with a hog
_HOG: Final = "beside a hog"
_LASTS_S: Final = 20.0
_PILOT_S: Final = 8.0  # shorter, and connecting would be too large a part of it
_FIRST_RUNS_PER_S: Final = 250  # of the first pilot
_MOST_RUNS_PER_S: Final = 2_500  # beyond, the server would be the slower one
_NEAR: Final = 0.1  # of what is wanted: a pilot that comes so near is the last
_SCENARIO: Final = "steady"


def calibrate_command(
    duration: Annotated[
        float | None,
        typer.Option(
            parser=seconds_of, help="How long each of the three loads lasts: 20s (the default), 1m."
        ),
    ] = None,
    users: Annotated[int, typer.Option(min=1, help="How many users connect.")] = 300,
    seed: Annotated[int, typer.Option(min=0, help="Of the users' behaviour and of the delays.")] = 1,
    pilots: Annotated[
        int, typer.Option(min=0, help="How many short runs may seek the request rate of a load.")
    ] = 3,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    results: Annotated[Path, typer.Option(help="Where the result folder is made.")] = Path("results"),
) -> None:
    """Measure a server with known delays at 20 %, 70 % and beside a CPU hog, and say how far off one is."""
    cores = _two_cores()
    lasts_s = _LASTS_S if duration is None else duration  # typer would have its parser read a default
    _plan(users, seed, 1, lasts_s)  # what cannot be run is said before anything is
    try:
        folder = new_folder(results, "calibrate")
    except OSError as error:
        raise UsageProblem(f"--results {results}: cannot be written ({error.strerror})") from error
    setting = _Setting(folder, users, seed, lasts_s, pilots, *cores)
    with _pinned_to(setting.core):
        found = conclude(_loads(setting))
    data = msgspec.json.format(msgspec.json.encode(found), indent=2)
    (folder / "calibration.json").write_bytes(data)
    typer.echo(f"results  {folder}", err=True)
    typer.echo(data.decode() + "\n" if json else render_text(found), nl=False)
    raise typer.Exit(OF_OUTCOME[found.outcome])


class _Setting(Struct, frozen=True):
    """What all runs have in common."""

    folder: Path
    users: int
    seed: int
    duration_s: float
    pilots: int
    core: int  # of the generator
    server_core: int


def _loads(setting: _Setting) -> list[Load]:
    """The three loads: two shares of the generator's core, and the smaller one beside a hog."""
    interval_s = beside_s = setting.users / _FIRST_RUNS_PER_S
    loads = []
    for name, wanted in _LEVELS.items():
        interval_s = _sought(setting, name, wanted, interval_s)
        loads.append(hold(_take(setting, name, wanted, interval_s, setting.duration_s)))
        if wanted == _BESIDE:
            beside_s = interval_s
    with _hog():
        loads.append(hold(_take(setting, _HOG, None, beside_s, setting.duration_s)))
    return loads


def _sought(setting: _Setting, name: str, wanted: float, interval_s: float) -> float:
    """The mean time between two requests of a user that makes the generator take `wanted` of its core."""
    for number in range(1, setting.pilots + 1):
        pilot_s = min(_PILOT_S, setting.duration_s)
        reached = _share(_take(setting, f"pilot {number} of {name}", None, interval_s, pilot_s))
        interval_s = next_interval(interval_s, reached, wanted)
        interval_s = max(interval_s, setting.users / _MOST_RUNS_PER_S)
        if is_near(reached, wanted, _NEAR):
            break
    return interval_s


def _take(setting: _Setting, name: str, wanted: float | None, interval_s: float, duration_s: float) -> Taken:
    """One run against a server of its own, and what both sides say of it."""
    truth = setting.folder / f"{name.replace(' %', '').replace(' ', '-')}.truth.jsonl"
    command = [sys.executable, "-m", "streamgauge.rig.known_delay", "--truth", str(truth)]
    command += ["--seed", str(setting.seed), "--core", str(setting.server_core)]
    plan = _plan(setting.users, setting.seed, interval_s, duration_s)
    plan = replace(plan, server=shlex.join(command))
    measured = measure(scenarios.find(_SCENARIO), plan, setting.folder, None, 1, quiet=True)
    report = _report(measured.folder)
    if report.cut_short:
        raise Interrupted
    recording = _recording(measured.folder)
    remarks = [f"{measured.folder.name}: {reason}" for reason in report.reasons]
    if recording.end is None:
        remarks.append(f"{measured.folder.name}: the recording was cut off")
    sent, trouble = _truth(truth)
    taken = Taken(
        name,
        wanted,
        sum(worker.cpu_s for worker in report.workers),
        recording.rows,
        sent,
        tuple(remarks + trouble),
    )
    messages = sum(isinstance(row, Received) for row in unfolded(recording.rows))
    typer.echo(f"{name}: {messages:,} messages, generator at {_share(taken):.0%} of its core", err=True)
    return taken


def _share(taken: Taken) -> float:
    return cpu_share(taken.cpu_s, events_of(taken.rows))


def _plan(users: int, seed: int, interval_s: float, duration_s: float) -> Plan:
    try:
        return make_plan(
            {
                "scenario": _SCENARIO,
                "users": users,
                "spawn_rate": float(users),
                "duration": duration_s,
                "arrivals": {"kind": "poisson", "interval": interval_s},
                "seed": seed,
            }
        )
    except PlanError as error:
        raise UsageProblem(str(error)) from error


def _report(folder: Path) -> Report:
    path = folder / "report.json"
    try:
        return read_json(path.read_bytes())
    except (OSError, ReportError) as error:
        raise UsageProblem(f"{path}: {error}; see what the generator said above") from error


def _recording(folder: Path) -> Recording:
    (path,) = folder.glob("recording/*.sgr")
    try:
        return Recording.of(path.read_bytes())
    except (OSError, RecordingError) as error:
        raise UsageProblem(f"{path}: {error}") from error


def _truth(path: Path) -> tuple[list[Sent], list[str]]:
    """What the server wrote down, and why it did not."""
    try:
        return decode(path.read_bytes()), []
    except (OSError, TruthError) as error:
        return [], [f"{path}: {error}"]


def _two_cores() -> tuple[int, int]:
    """A core for the generator, and one for the server."""
    if sys.platform != "linux":
        raise UsageProblem("calibrate: only Linux stamps what it receives, and pins processes to cores")
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise UsageProblem(
            "calibrate: this process may use one core, and it takes two: one for the generator (and the hog "
            "beside it), one for the server; run it on a larger machine, or widen its taskset"
        )
    return cores[0], cores[1]


@contextmanager
def _pinned_to(core: int) -> Iterator[None]:
    """In here this process and all that it starts are on one core; a server moves away by itself."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def _hog() -> Iterator[None]:
    """A process that takes all it is given of the core that we are on."""
    hog = subprocess.Popen(
        [sys.executable, "-c", "while True: pass"],
        start_new_session=True,
        preexec_fn=ending_with_us(signal.SIGKILL),  # noqa: PLW1509 - there is no other thread here
    )
    try:
        yield
    finally:
        hog.kill()
        hog.wait()
