"""When requests are due: open loop, decided ahead of what the server does.

A due time never moves because an earlier answer was late; that is what keeps
coordinated omission out of the latencies (G. Tene; Schroeder et al., NSDI 2006).
Many users with independent Poisson arrivals are together one Poisson stream, so
every user can keep its own schedule and no worker needs to know of another.
"""

import random
from collections.abc import Callable, Iterator
from itertools import count
from typing import Final

_SECOND_NS: Final = 1_000_000_000


def constant(start_ns: int, interval_ns: int, phase: float) -> Iterator[int]:
    """Due times every `interval_ns`, the first after the share `phase` (0–1) of one."""
    first = start_ns + int(interval_ns * phase)
    return (first + n * interval_ns for n in count())


def poisson(start_ns: int, interval_ns: int, rng: random.Random) -> Iterator[int]:
    """Due times with exponential gaps of `interval_ns` in the mean."""
    due = float(start_ns)
    while True:
        due += rng.expovariate(1.0) * interval_ns
        yield int(due)


def lockstep(start_ns: int, interval_ns: int) -> Iterator[int]:
    """Due times on a grid that every user of the same clock shares: all ask at once."""
    first = (start_ns // interval_ns + 1) * interval_ns
    return (first + n * interval_ns for n in count())


def varying(
    start_ns: int, origin_ns: int, rate: Callable[[float], float], peak: float, rng: random.Random
) -> Iterator[int]:
    """Due times of a Poisson stream whose rate changes: `rate(seconds since origin)` per second.

    `peak` bounds the rate from above. Candidates come at the peak's rate, and each is
    kept with the probability rate / peak (thinning; Lewis and Shedler 1979).
    """
    due = float(start_ns)
    while True:
        due += rng.expovariate(peak) * _SECOND_NS
        if rng.random() * peak < rate((due - origin_ns) / _SECOND_NS):
            yield int(due)
