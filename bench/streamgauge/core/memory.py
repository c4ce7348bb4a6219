"""How the resident memory of a process went along with a run, and how fast it grew."""

from itertools import combinations
from statistics import median
from typing import Final

from msgspec import Struct

WARM_UP: Final = 0.25  # of a run: caches fill, pools grow
LEAST: Final = 10  # points after it; fewer tell no trend
_MOST: Final = 200  # points that a slope is made of: it looks at all pairs

Point = tuple[int, int]  # ns since the run began, and bytes


class Series(Struct, frozen=True):
    """The resident memory of one process, in order of time."""

    name: str
    points: tuple[Point, ...]


def growth(points: tuple[Point, ...]) -> int | None:
    """By how many bytes memory grew from the end of the warm-up to the end; negative where it shrank.

    That is the median slope of all pairs of points times the time between the first and the last:
    one jump, or a pool that is given back, makes no trend (P. K. Sen, 1968). None of too few points.
    """
    if not points:
        return None
    began_ns, ended_ns = points[0][0], points[-1][0]
    warm = [point for point in points if point[0] >= began_ns + WARM_UP * (ended_ns - began_ns)]
    if len(warm) < LEAST:
        return None
    warm = warm[:: -(-len(warm) // _MOST)]
    slope = median((b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(warm, 2))
    return round(slope * (warm[-1][0] - warm[0][0]))


class Thinned:
    """Keeps at most `most` points of any number, evenly: when it is full, every second one goes."""

    def __init__(self, most: int = 512) -> None:
        self.points: list[Point] = []
        self._most = most
        self._every = 1
        self._seen = 0

    def add(self, at_ns: int, value: int) -> None:
        """Take the next point, or leave it out."""
        if self._seen % self._every == 0:
            self.points.append((at_ns, value))
            if len(self.points) >= self._most:
                del self.points[1::2]
                self._every *= 2
        self._seen += 1
