"""Whether a run was steady, so that one percentile can speak for all of it.

A run is cut into windows, and the medians of their times to the first event are held
against each other by Pettitt's test for one change point (A. N. Pettitt, Applied
Statistics 28, 1979), which knows ranks only: one slow window, however slow, is no change.
A change is doubted where it is neither chance nor small.
"""

import math
from collections.abc import Sequence
from statistics import median
from typing import Final, NamedTuple

from streamgauge.core.finding import LATENCY, Doubt
from streamgauge.core.metrics.course import CourseState

CHANCE: Final = 0.001  # of a steady run to be called unsteady, whatever its size
_LEAST_VALUES: Final = 5  # in a window
LEAST_WINDOWS: Final = 40  # 10 s of load, where 20 requests a second are made
_LEAST_CHANGE_NS: Final = 1_000_000  # less is of the machine, and of no user


class Change(NamedTuple):
    """A change point: the first `at` values are before it; how likely it is by chance, at most."""

    at: int
    chance: float


def change_point(values: Sequence[float]) -> Change:
    """The likeliest change point of `values` in their order, by Pettitt's approximation of its chance."""
    n = len(values)
    u = most = at = 0
    for place, value in enumerate(values[:-1], start=1):
        u += sum((value > other) - (value < other) for other in values)
        if abs(u) > most:
            most, at = abs(u), place
    return Change(at, min(1.0, 2 * math.exp(-6 * most**2 / (n**3 + n**2))) if n else 1.0)


def unsteady(course: CourseState, load_ns: tuple[int, int] | None, limit: float) -> Doubt | None:
    """A doubt where the median first event changed by more than the factor `limit` during the load.

    `load_ns` says from when until when the load is the same, in ns from the beginning; None
    where it is to change. Fewer than `LEAST_WINDOWS` windows within it cannot tell.
    """
    if load_ns is None:
        return None
    medians = _medians(course, *load_ns)
    while len(medians) < LEAST_WINDOWS:
        course = course.wider()
        if course.width_ns * LEAST_WINDOWS > load_ns[1] - load_ns[0]:
            return None
        medians = _medians(course, *load_ns)
    width_ns = course.width_ns
    change = change_point([value for _, value in medians])
    if change.chance > CHANCE:
        return None
    before, after = (
        median(value for _, value in part) for part in (medians[: change.at], medians[change.at :])
    )
    faster, slower = sorted((before, after))
    if slower - faster < _LEAST_CHANGE_NS or slower <= limit * faster:
        return None
    second = medians[change.at][0] * width_ns / 1e9
    warming = before > after
    return Doubt(
        "warm-up" if warming else "not steady",
        f"median first event {before / 1e6:,.1f} ms until second {second:.0f}, {after / 1e6:,.1f} ms after",
        f"a factor of {limit:g}",
        "the percentiles are of both: "
        + (
            "warm the server up by a run before this one"
            if warming
            else "it slows down under this load: a longer run would be slower still"
        ),
        LATENCY,
    )


def _medians(course: CourseState, since_ns: int, until_ns: int) -> list[tuple[int, int]]:
    """The windows that lie wholly between the two and hold enough, with their medians."""
    return [
        (window, of.quantile(0.5))
        for window, of in sorted(course.windows.items())
        if of.n >= _LEAST_VALUES
        and since_ns <= window * course.width_ns
        and (window + 1) * course.width_ns <= until_ns
    ]
