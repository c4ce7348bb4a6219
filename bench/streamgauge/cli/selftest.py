"""`streamgauge selftest`: whether this suite finds what it claims to find, and nothing else."""

import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn, TypeVar

import typer

from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.selftest_power import points
from streamgauge.cli.selftest_runs import Commands
from streamgauge.cli.selftest_state import State, digest_of_the_code
from streamgauge.core.finding import Outcome
from streamgauge.environment import environment
from streamgauge.exit_code import OF_OUTCOME
from streamgauge.results import write_whole
from streamgauge.study.fault_table import LATER, ROWS
from streamgauge.study.plot_power import plot_power
from streamgauge.study.power import RECORDINGS, Point
from streamgauge.study.render_detection import render_detection
from streamgauge.study.render_selftest import render_list, render_text, told
from streamgauge.study.selftest import (
    CLEAN_RUNS,
    SHORT_CLEAN_RUNS,
    Base,
    BaseTask,
    CleanTask,
    DetectionTask,
    PowerTask,
    Result,
    Task,
    detection_tasks,
    left_s,
    outcome,
    power_tasks,
)

Kind = TypeVar("Kind", bound=Task)

EXAMPLES = """It goes on where it was stopped, as long as the code is the same. Examples:

streamgauge selftest --list

streamgauge selftest --only swap --only drop-thinking

streamgauge selftest --short   (each fault at rate 1, 10 clean runs)

streamgauge selftest --docs docs/detection.md   (the whole study)

Exit codes: 0 all was found and nothing else, 1 a fault was missed or a clean run failed,
3 something could not be told, 130 interrupted.
"""


def selftest(
    only: Annotated[
        list[str] | None, typer.Option(help="A fault, and nothing else is looked at; repeatable.")
    ] = None,
    *,
    short: Annotated[bool, typer.Option("--short", help="Each fault at rate 1, and 10 clean runs.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="Print the faults and what must find them.")] = False,
    clean_runs: Annotated[int, typer.Option(min=0, help="Clean runs of the whole study.")] = CLEAN_RUNS,
    recordings: Annotated[
        int, typer.Option(min=0, help="Mutated recordings for each point of the power study; 0: none.")
    ] = RECORDINGS,
    side_by_side: Annotated[int, typer.Option(min=1, max=64, help="How much is done at once.")] = 2,
    state: Annotated[
        Path, typer.Option(help="Where finished parts are kept, so that it can be stopped.")
    ] = Path("results/selftest"),
    docs: Annotated[
        Path | None,
        typer.Option(help="Write the page of a whole study: docs/detection.md, and an .svg beside it."),
    ] = None,
) -> None:
    """Have the reference server commit every fault, and see that each is found and nothing else is."""
    if list_:
        typer.echo(render_list(), nl=False)
        return
    known = [row.name for row in ROWS]
    later = {numbered.partition(" ")[2]: why for numbered, why in LATER.items()}
    for name in only or ():
        if name in later:
            raise UsageProblem(f"--only {name}: the server cannot commit it yet: it {later[name]}")
        if name not in known:
            raise UsageProblem(f"--only {name}: no fault of this name; there are: {', '.join(known)}")
    if docs and (short or only or not (clean_runs and recordings)):
        raise UsageProblem(
            f"--docs {docs}: the page holds the whole study: leave out --short, --only and what is 0"
        )
    try:
        code = digest_of_the_code()
        kept = State(state, code)
    except OSError as error:
        raise UsageProblem(f"--state {state}: cannot be written ({error.strerror})") from error
    matrix = list(detection_tasks(short=short, only=only or ()))
    brief = short or bool(only)
    power: list[Task] = [BaseTask(), *power_tasks(recordings)] if recordings and not brief else []
    clean = 0 if only else SHORT_CLEAN_RUNS if short else clean_runs
    results = _Work([*matrix, *power, *map(CleanTask, range(clean))], kept, side_by_side).results()
    if docs:
        _write(docs, results, code)
    typer.echo(render_text(results), nl=False)
    raise typer.Exit(OF_OUTCOME[outcome(results)])


def _write(page: Path, results: Sequence[Result], code: str) -> None:
    points = [result for result in results if isinstance(result, Point)]
    if not points:
        typer.echo(f"{page}: not written: there is no power study", err=True)
        return
    picture = page.with_suffix(".svg")
    text = render_detection(results, environment(datetime.now(UTC)), code, picture.name)
    try:
        write_whole(page, text.encode())
        write_whole(picture, plot_power(points).encode())
    except OSError as error:
        raise UsageProblem(f"--docs {page}: cannot be written ({error.strerror})") from error


class _Work:
    """Works off what is to do, kind by kind; each result is kept as soon as it is there."""

    def __init__(self, to_do: Sequence[Task], kept: State, side_by_side: int) -> None:
        self._to_do = to_do
        self._kept = kept
        self._side_by_side = side_by_side
        self._found = {task.key: result for task in to_do if (result := kept.read(task.key))}
        self._waiting = {task.key: task for task in to_do if task.key not in self._found}
        self._done: list[Task] = []
        self._began = time.monotonic()

    def results(self) -> list[Result]:
        """The results of all, in order, but of those that another was to come before that failed."""
        if self._found:
            typer.echo(f"{len(self._found)} of {len(self._to_do)} parts are known, from this code", err=True)
        for number in (signal.SIGTERM, signal.SIGINT):  # also where who started it ignores Ctrl-C
            signal.signal(number, _interrupted)
        commands = Commands(self._kept.runs)
        self._run(commands, DetectionTask, lambda task: commands.detect(task.row, task.rate))
        self._run(commands, BaseTask, lambda _: commands.base())
        self._mutate()
        self._run(commands, CleanTask, lambda task: commands.clean(task.number))
        return [self._found[task.key] for task in self._to_do if task.key in self._found]

    def _run(self, commands: Commands, kind: type[Kind], make: Callable[[Kind], Result]) -> None:
        """Work off all of a kind, each by commands, several at once."""
        with ThreadPoolExecutor(self._side_by_side) as pool:
            futures = {pool.submit(make, task): task for task in self._of(kind)}
            try:
                for future in as_completed(futures):
                    self._take(futures[future], future.result())
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                commands.end()
                raise

    def _mutate(self) -> None:
        """Work off the points of the power study, where there is a recording to mutate."""
        base, tasks = self._found.get(BaseTask().key), self._of(PowerTask)
        if not isinstance(base, Base) or not tasks:
            return
        if base.outcome is not Outcome.PASS:
            typer.echo(f"no power study: {'; '.join(base.why)}", err=True)
            return
        for task, point in points(Path(base.path), tasks, self._side_by_side):
            self._take(task, point)

    def _of(self, kind: type[Kind]) -> list[Kind]:
        return [task for task in self._waiting.values() if isinstance(task, kind)]

    def _take(self, task: Task, result: Result) -> None:
        self._kept.keep(task.key, result)
        self._found[task.key] = result
        self._done.append(self._waiting.pop(task.key))
        took_s = time.monotonic() - self._began
        left = left_s(list(self._waiting.values()), took_s, self._done, self._side_by_side)
        typer.echo(told(result, len(self._found), len(self._to_do), left), err=True)


def _interrupted(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
