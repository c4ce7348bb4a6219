"""The steps of a search: one run after the other, until enough is known or the time is over."""

import contextlib
import math
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Final

import msgspec
import typer
from msgspec.structs import replace

from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.interruption import Interrupted
from streamgauge.cli.limits import require_files
from streamgauge.cli.measure import measure
from streamgauge.plan import Plan, make_plan
from streamgauge.report.render_json import read_json
from streamgauge.study.capacity import Move, Result, Search, Step, conclude, next_move
from streamgauge.study.capacity_step import read_step

QUIET: Final = (
    1.0,
    0.5,
)  # of the users that were kept (else of the first step), in the steps that tell events from sockets
_OVERHEAD_S: Final = 6.0  # what a step takes besides its load, before one has shown it


class Steps:
    """The steps so far, why each was made, and why there are no more."""

    def __init__(
        self,
        locustfile: Path,
        plan: Plan,
        folder: Path,
        secret: str | None,
        processes: int,
        *,
        quiet: Plan | None = None,
    ) -> None:
        self._locustfile = locustfile
        self._plan = plan
        self._quiet = quiet
        self._folder = folder
        self._secret = secret
        self._processes = processes
        self._overheads: list[float] = []
        self.steps: list[Step] = []
        self.purposes: list[str] = []
        self.quiet: list[Step] = []
        self.ended = ""

    def take(self, search: Search, step_s: float, time_s: float, keep: Callable[["Steps"], None]) -> None:
        """Take step after step, then those of the `quiet` plan, and `keep` what is known after each.

        Raises what `measure` raises where not even the first step can be made; Ctrl-C and
        what goes wrong later end the search.
        """
        reserved_s = len(QUIET) * (step_s + _OVERHEAD_S) if self._quiet else 0
        until_s = time.monotonic() + time_s - reserved_s
        try:
            while (move := self._next(search, step_s, until_s - time.monotonic())) is not None:
                self.steps.append(self._step(self._plan, move, step_s))
                self.purposes.append(move.purpose)
                keep(self)
            if self._quiet:
                kept = conclude(search, self.steps).kept
                for share in QUIET:
                    move = Move(max(1, round(share * (kept.users if kept else search.first))), "quiet")
                    self.quiet.append(self._step(self._quiet, move, step_s))
        except (UsageProblem, Interrupted, KeyboardInterrupt) as error:
            if not self.steps:
                with contextlib.suppress(OSError):  # a run that was cut short lies in it
                    self._folder.rmdir()
                raise
            self.ended = str(error) if isinstance(error, UsageProblem) else "interrupted"
        keep(self)

    def _next(self, search: Search, step_s: float, left_s: float) -> Move | None:
        """What to do in the time that is left; the first step is made in any case."""
        if not self.steps:
            return next_move(search, (), 1)
        top = max(step.users for step in self.steps)
        affordable = int(left_s / self._takes_s(top, step_s))
        move = next_move(search, self.steps, affordable)
        if move is not None and self._takes_s(move.users, step_s) > left_s:  # a climb that is too long
            move = next_move(replace(search, most=top), self.steps, affordable)
            self.ended = "the time is over"
        if move is None and next_move(search, self.steps, len(self.steps) + 1) is not None:
            self.ended = "the time is over"
        return move

    def _takes_s(self, users: int, step_s: float) -> float:
        overhead_s = mean(self._overheads) if self._overheads else _OVERHEAD_S
        return self._load_s(users, step_s) + overhead_s

    def _load_s(self, users: int, step_s: float) -> int:
        """The ramp and the step, in whole seconds as Locust counts them."""
        return math.ceil(users / self._plan.spawn_rate + step_s)

    def _step(self, given: Plan, move: Move, step_s: float) -> Step:
        """One run with so many users; raises `Interrupted` where it was cut short."""
        step = self._run(given, move.users, self._load_s(move.users, step_s))
        said = ": ".join(filter(None, (step.result, step.why)))
        typer.echo(f"{move.purpose}, {step.users:,} users: {said}", err=True)
        return step

    def _run(self, given: Plan, users: int, load_s: int) -> Step:
        plan = make_plan(msgspec.to_builtins(given) | {"users": users, "duration": load_s})
        if self.steps:
            try:
                require_files(plan.sockets, self._processes)
            except UsageProblem as problem:
                return Step(users, Result.GENERATOR, str(problem))
        began_s = time.monotonic()
        measured = measure(self._locustfile, plan, self._folder, self._secret, self._processes, quiet=True)
        self._overheads.append(max(0.0, time.monotonic() - began_s - load_s))
        source = measured.folder / "report.json"
        if not source.is_file() or not source.stat().st_size:
            why = f"the generator ended without a report (exit code {measured.code})"
            return Step(users, Result.GENERATOR, why, folder=measured.folder.name)
        report = read_json(source.read_bytes())
        if report.cut_short:
            raise Interrupted
        # not the report's own number: a plan that is too large is left out of it
        return replace(read_step(report, measured.folder.name), users=users)
