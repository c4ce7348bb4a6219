"""The recordings of a run, read once more for what was around its findings."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from streamgauge.core.checks.sides import Rows
from streamgauge.core.observation import Observation
from streamgauge.core.recording import rows_of
from streamgauge.core.timeline import Origin

MOST_BYTES: Final = 100_000_000  # of all recordings of a run: nobody waits longer for a report


def around(recordings: Iterable[tuple[Path, Origin]]) -> tuple[list[Rows], list[str]]:
    """The rows of a run's recordings on the clock of the first, and in words what of them cannot be read.

    Nothing is read before the rows are asked for.
    """
    given = list(recordings)
    here = [(path, origin) for path, origin in given if path.is_file()]
    if sum(path.stat().st_size for path, _ in here) > MOST_BYTES:
        return [], [f"what was around findings: the recordings take more than {MOST_BYTES // 1_000_000} MB"]
    elsewhere = len(given) - len(here)
    lack = [f"what was around findings: {elsewhere} of {len(given)} recordings lie elsewhere"]
    first = given[0][1] if given else Origin("")
    return [Rows(_rows(path), behind(origin, first)) for path, origin in here], lack if elsewhere else []


def behind(origin: Origin, first: Origin) -> int:
    """By how much a clock is behind the first one, in ns; 0 where it is the same, or nobody knows."""
    apart = origin.clock != first.clock and origin.epoch_ns and first.epoch_ns
    return origin.epoch_ns - first.epoch_ns if apart else 0


def _rows(path: Path) -> Iterator[Observation]:
    yield from rows_of(path.read_bytes())
