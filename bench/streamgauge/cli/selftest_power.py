"""The power study in processes of its own: it does nothing but compute."""

import signal
from collections.abc import Iterable, Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from streamgauge.core.recording import Recording
from streamgauge.study.power import SIZES, Judge, Point, part
from streamgauge.study.selftest import PowerTask

_judges: Final[dict[int, Judge]] = {}  # of this process, by size


def points(
    recording: Path, tasks: Iterable[PowerTask], side_by_side: int
) -> Iterator[tuple[PowerTask, Point]]:
    """Each point as soon as it is there; who stops early leaves no process behind."""
    with get_context("spawn").Pool(side_by_side, _begin, (str(recording),)) as pool:
        yield from pool.imap_unordered(_point, tasks)


def _begin(path: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started us
    _judges.clear()
    recording = Recording.of(Path(path).read_bytes())
    for size, share in SIZES.items():
        _judges[size] = Judge(part(recording, share))


def _point(task: PowerTask) -> tuple[PowerTask, Point]:
    return task, _judges[task.size].point(task.mutation, task.rate, task.recordings)
