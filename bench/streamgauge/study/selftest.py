"""What a selftest consists of, and what it comes to."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from msgspec import Struct

from streamgauge.core.finding import Outcome, worst
from streamgauge.study.clean_runs import CleanRun
from streamgauge.study.detection import Cell
from streamgauge.study.fault_table import LOW_RATE, ROWS, Row
from streamgauge.study.mutation import Mutation
from streamgauge.study.power import SIZES, Point, rates

CLEAN_RUNS: Final = 300
SHORT_CLEAN_RUNS: Final = 10

# what each takes, roughly: for the time that is left
_FULL_S: Final = 7.0
_RARE_S: Final = 12.0
_CLEAN_S: Final = 6.0
_BASE_S: Final = 110.0
_MUTATED_S: Final = 0.04


class Base(Struct, frozen=True, tag="base"):
    """The recording that is mutated: of how many events, and where it lies."""

    outcome: Outcome
    events: int = 0
    path: str = ""
    why: tuple[str, ...] = ()


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


class BaseTask(Struct, frozen=True):
    """The recording that is mutated."""

    key: str = "power-base"
    seconds: float = _BASE_S


class PowerTask(Struct, frozen=True):
    """One point of the power study, in recordings of `size` events, roughly."""

    mutation: Mutation
    size: int
    rate: float
    recordings: int

    @property
    def key(self) -> str:
        """Its name among the results."""
        return f"power-{self.mutation.name.lower()}-{self.size}-{self.rate:g}-{self.recordings}"

    @property
    def seconds(self) -> float:
        """What it takes, roughly."""
        return self.recordings * _MUTATED_S


class CleanTask(Struct, frozen=True):
    """One run of the false-alarm study."""

    number: int
    seconds: float = _CLEAN_S

    @property
    def key(self) -> str:
        """Its name among the results."""
        return f"clean-{self.number:03}"


Task = DetectionTask | BaseTask | PowerTask | CleanTask
Result = Cell | Base | Point | CleanRun


def detection_tasks(*, short: bool, only: Collection[str] = ()) -> Iterator[DetectionTask]:
    """The matrix; `only` are names of faults, all where there are none."""
    for row in ROWS:
        if not only or row.name in only:
            yield DetectionTask(row, 1)
            if row.rare is not None and not short:
                yield DetectionTask(row, LOW_RATE)


def power_tasks(recordings: int) -> Iterator[PowerTask]:
    """The power study."""
    for size in SIZES:
        for mutation in Mutation:
            for rate in rates(size):
                yield PowerTask(mutation, size, rate, recordings)


def outcome(results: Sequence[Result]) -> Outcome:
    """The worst of all."""
    return worst([result.outcome for result in results])


def left_s(waiting: Sequence[Task], took_s: float, done: Sequence[Task], side_by_side: int) -> float:
    """How long what waits will take, by how long what is done did."""
    planned = sum(task.seconds for task in done)
    pace = took_s / planned if planned else 1 / side_by_side
    return pace * sum(task.seconds for task in waiting)
