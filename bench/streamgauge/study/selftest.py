"""What a selftest consists of, and what it comes to."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from msgspec import Struct

from streamgauge.core.finding import Outcome, worst
from streamgauge.study.clean_runs import CleanRun
from streamgauge.study.detection import Cell
from streamgauge.study.fault_table import LOW_RATE, ROWS, Row

CLEAN_RUNS: Final = 300
SHORT_CLEAN_RUNS: Final = 10

# what each takes, roughly: for the time that is left
_FULL_S: Final = 7.0
_RARE_S: Final = 12.0
_CLEAN_S: Final = 5.0


class DetectionTask(Struct, frozen=True):
    """One cell of the matrix."""

    row: Row
    rate: float

    @property
    def key(self) -> str:
        """Its name among the results."""
        return f"matrix-{self.row.name}-{self.rate:g}"

    @property
    def seconds(self) -> float:
        """What it takes, roughly."""
        return _FULL_S if self.rate == 1 else _RARE_S


class CleanTask(Struct, frozen=True):
    """One run of the false-alarm study."""

    number: int
    seconds: float = _CLEAN_S

    @property
    def key(self) -> str:
        """Its name among the results."""
        return f"clean-{self.number:03}"


Task = DetectionTask | CleanTask
Result = Cell | CleanRun


def tasks(*, short: bool, only: Collection[str] = (), clean_runs: int = CLEAN_RUNS) -> Iterator[Task]:
    """Everything that is to be done, in order; `only` are names of faults, all where there are none."""
    for row in ROWS:
        if only and row.name not in only:
            continue
        yield DetectionTask(row, 1)
        if row.rare is not None and not short:
            yield DetectionTask(row, LOW_RATE)
    if not only:
        yield from map(CleanTask, range(SHORT_CLEAN_RUNS if short else clean_runs))


def outcome(results: Sequence[Result]) -> Outcome:
    """The worst of all."""
    return worst([result.outcome for result in results])


def left_s(waiting: Sequence[Task], took_s: float, done: Sequence[Task], side_by_side: int) -> float:
    """How long what waits will take, by how long what is done did."""
    planned = sum(task.seconds for task in done)
    pace = took_s / planned if planned else 1 / side_by_side
    return pace * sum(task.seconds for task in waiting)
