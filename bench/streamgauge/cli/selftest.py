"""`streamgauge selftest`: whether this suite finds what it claims to find, and nothing else."""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Annotated

import typer

from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.selftest_runs import Commands
from streamgauge.cli.selftest_state import State, digest_of_the_code
from streamgauge.exit_code import OF_OUTCOME
from streamgauge.study.fault_table import ROWS
from streamgauge.study.render_detection import render_list, render_text, told
from streamgauge.study.selftest import (
    CLEAN_RUNS,
    CleanTask,
    DetectionTask,
    Result,
    Task,
    left_s,
    outcome,
    tasks,
)

EXAMPLES = """It goes on where it was stopped, as long as the code is the same. Examples:

streamgauge selftest --list

streamgauge selftest --only swap --only drop-thinking

streamgauge selftest --short   (each fault at rate 1, 10 clean runs)

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
    side_by_side: Annotated[int, typer.Option(min=1, max=64, help="How many runs are made at once.")] = 2,
    state: Annotated[
        Path, typer.Option(help="Where finished parts are kept, so that it can be stopped.")
    ] = Path("results/selftest"),
) -> None:
    """Have the reference server commit every fault, and see that each is found and nothing else is."""
    if list_:
        typer.echo(render_list(), nl=False)
        return
    known = [row.name for row in ROWS]
    for name in only or ():
        if name not in known:
            raise UsageProblem(f"--only {name}: no fault of this name; there are: {', '.join(known)}")
    try:
        kept = State(state, digest_of_the_code())
    except OSError as error:
        raise UsageProblem(f"--state {state}: cannot be written ({error.strerror})") from error
    to_do = list(tasks(short=short, only=only or (), clean_runs=clean_runs))
    results = _work_off(to_do, kept, side_by_side)
    typer.echo(render_text(results), nl=False)
    raise typer.Exit(OF_OUTCOME[outcome(results)])


def _work_off(to_do: Sequence[Task], kept: State, side_by_side: int) -> list[Result]:
    """The results of all, in order; each is kept as soon as it is there, what is known not made anew."""
    found = {task.key: result for task in to_do if (result := kept.read(task.key))}
    waiting = {task.key: task for task in to_do if task.key not in found}
    if found:
        typer.echo(f"{len(found)} of {len(to_do)} parts are known already, from this code", err=True)
    commands, done, began = Commands(kept.runs), list[Task](), time.monotonic()
    with ThreadPoolExecutor(side_by_side) as pool:
        futures = {pool.submit(_make, commands, task): task for task in waiting.values()}
        try:
            for future in as_completed(futures):
                task = futures[future]
                found[task.key] = _taken(future, task, kept)
                done.append(waiting.pop(task.key))
                left = left_s(list(waiting.values()), time.monotonic() - began, done, side_by_side)
                typer.echo(told(found[task.key], len(found), len(to_do), left), err=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            commands.end()
            raise
    return [found[task.key] for task in to_do]


def _make(commands: Commands, task: Task) -> Result:
    match task:
        case DetectionTask(row, rate):
            return commands.detect(row, rate, row.full if rate == 1 or row.rare is None else row.rare)
        case CleanTask(number):
            return commands.clean(number)


def _taken(future: Future[Result], task: Task, kept: State) -> Result:
    result = future.result()
    kept.keep(task.key, result)
    return result
