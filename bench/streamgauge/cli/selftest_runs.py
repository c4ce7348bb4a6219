"""The commands of a selftest: runs against servers of their own, and their recordings judged again."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from streamgauge.cli import scenarios
from streamgauge.core.finding import Outcome
from streamgauge.exit_code import FAIL, INCONCLUSIVE, PASS
from streamgauge.plan import PLAN_FILE, dump_plan, make_plan
from streamgauge.report.model import Report
from streamgauge.report.render_json import read_json
from streamgauge.results import TREND_VARIABLE
from streamgauge.study import clean_runs, detection
from streamgauge.study.clean_runs import CleanRun
from streamgauge.study.detection import Cell
from streamgauge.study.detection_load import Load
from streamgauge.study.fault_table import Row
from streamgauge.study.power import BASE
from streamgauge.study.selftest import Base

_MEASURED: Final = (PASS, FAIL, INCONCLUSIVE)
_TRIES: Final = 3  # of a cell: a busy machine leaves what takes time unknown
_SAID: Final = 300  # characters of what a command said last
_APART_S: Final = 0.3  # between the signals that end a run


class NotMeasured(Exception):
    """A command that came to nothing; the text says what it said."""


class Commands:
    """Starts commands of this program, several at once, and can end all that are under way."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder  # where runs leave their results
        self._under_way: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        # msgspec works out a type when it is first used, and crashes where two threads do so at once
        self._typed = threading.Lock()
        self._ending = False

    def detect(self, row: Row, rate: float) -> Cell:
        """One cell of the matrix; a run that cannot tell is made again, as anybody would make it."""
        for _ in range(_TRIES):
            cell = self._detect(row, rate)
            if cell.outcome is not Outcome.UNKNOWN or self._ending:
                break
        return cell

    def _detect(self, row: Row, rate: float) -> Cell:
        load = row.full if rate == 1 or row.rare is None else row.rare
        try:
            result, live = self.measure(load, f"{row.name}@{rate:g}", faults=[row.committed(rate)])
            again = self.check(result)
        except NotMeasured as problem:
            return detection.could_not_run(row, rate, str(problem))
        cell = detection.hold(row, rate, live, again)
        if cell.outcome is Outcome.PASS:
            shutil.rmtree(result)
        return cell

    def clean(self, number: int) -> CleanRun:
        """One run of the false-alarm study."""
        trouble = clean_runs.trouble(number)
        try:
            result, report = self.measure(trouble.load, f"clean-{number}", seed=number + 1)
        except NotMeasured as problem:
            return CleanRun(number, trouble.name, Outcome.UNKNOWN, why=(str(problem),))
        found = clean_runs.hold(number, report)
        if found.outcome is Outcome.PASS:
            shutil.rmtree(result)
        return found

    def base(self) -> Base:
        """The correct recording that the power study mutates; the doubts of its run do not matter to it."""
        try:
            result, report = self.measure(BASE, "base")
        except NotMeasured as problem:
            return Base(Outcome.UNKNOWN, why=(str(problem),))
        if report.outcome is Outcome.FAIL:
            return Base(Outcome.FAIL, why=report.reasons)
        (path,) = result.glob("recording/*.sgr")
        return Base(Outcome.PASS, report.counts["events"], str(path.absolute()))

    def measure(self, load: Load, name: str, **more: object) -> tuple[Path, Report]:
        """Run a load against a server of its own; its result folder, and its report."""
        where = self._folder / name
        shutil.rmtree(where, ignore_errors=True)
        where.mkdir(parents=True)
        with self._typed:
            plan = dump_plan(make_plan(load.plan(_beside(load.scenario), **more)))
        (where / PLAN_FILE).write_text(plan, encoding="utf-8")
        self._run("run", "--plan", str(where / PLAN_FILE), "--results", str(where))
        for report in where.glob("*/report.json"):
            return report.parent, self._report(report.read_bytes())
        raise NotMeasured("the run left no report")

    def check(self, result: Path) -> Report:
        """Judge the recording of a run again."""
        return self._report(self._run("check", str(result), "--json").encode())

    def _report(self, data: bytes) -> Report:
        with self._typed:
            return read_json(data)

    def _run(self, *words: str) -> str:
        """What the command printed; raises `NotMeasured` where it came to nothing."""
        with self._lock:
            if self._ending:
                raise NotMeasured("the selftest is ending")
            process = subprocess.Popen(
                [sys.executable, "-m", "streamgauge", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, TREND_VARIABLE: os.devnull},
                start_new_session=True,  # Ctrl-C reaches it through `end` alone
            )
            self._under_way.add(process)
        out, err = process.communicate()
        with self._lock:
            self._under_way.discard(process)
        if process.returncode not in _MEASURED:
            last = (err.strip() or out.strip()).rpartition("\n")[2]
            raise NotMeasured(f"exit code {process.returncode}: {last[:_SAID]}")
        return out

    def end(self) -> None:
        """End what is under way, without waiting for it to drain: nothing of it is kept."""
        with self._lock:
            self._ending = True
            under_way = list(self._under_way)
        # told to end, told to let the drain go, told to kill the generator: `interruption`
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGINT):
            for process in under_way:
                with suppress(ProcessLookupError):
                    process.send_signal(number)
            time.sleep(_APART_S)


def _beside(scenario: str) -> Mapping[str, Any]:
    """The values of the plan beside a scenario."""
    text = scenarios.find(scenario).with_suffix(".toml").read_text(encoding="utf-8")
    values: dict[str, Any] = msgspec.toml.decode(text)
    return values
