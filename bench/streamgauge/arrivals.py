"""How the requests of one user arrive: the part `arrivals` of a plan.

All but `lockstep` and `constant` are Poisson streams, so that those of many users
add up to one, whoever of them runs in which worker. Times are seconds.
"""

import random
from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from streamgauge.bounds import MOST_PER_USER, MOST_SWING, Factor, NotNegative, Positive
from streamgauge.core import schedule


class _Kind(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """One kind of arrivals, told apart by `kind`."""

    def __post_init__(self) -> None:
        slowest, fastest = extremes(self)  # type: ignore[arg-type] # every kind is one of the union
        if fastest > MOST_PER_USER:
            raise ValueError(
                f"{fastest:,.7g} requests a second of one user; at most {MOST_PER_USER:,.0f} can be generated"
            )
        if fastest > slowest * MOST_SWING:
            raise ValueError(
                f"the fastest rate is {fastest / slowest:,.7g} times the slowest; "
                f"at most {MOST_SWING:,.0f} can be"
            )


class Constant(_Kind, frozen=True, tag="constant"):
    """Every `interval`, each user in a phase of its own."""

    interval: Positive = 2


class Poisson(_Kind, frozen=True, tag="poisson"):
    """At random, every `interval` in the mean."""

    interval: Positive = 2


class Lockstep(_Kind, frozen=True, tag="lockstep"):
    """Every `interval`, all users of one clock at once."""

    interval: Positive = 2


class Ramp(_Kind, frozen=True, tag="ramp"):
    """Every `start` in the mean at first; `over` so long the rate goes straight to that of `end`."""

    start: Positive
    end: Positive
    over: Positive


class Steps(_Kind, frozen=True, tag="steps"):
    """One of `intervals` after the other, each for `every`; the last one stays."""

    intervals: Annotated[tuple[Positive, ...], Meta(min_length=1)]
    every: Positive


class Spike(_Kind, frozen=True, tag="spike"):
    """Every `interval` in the mean, but from `at` on, for `lasting`, `factor` times as often."""

    interval: Positive
    at: NotNegative
    lasting: Positive
    factor: Factor


Arrivals = Constant | Poisson | Lockstep | Ramp | Steps | Spike


def due_times(arrivals: Arrivals, began_ns: int, now_ns: int, rng: random.Random) -> Iterator[int]:
    """When a user who is there from `now_ns` on is to ask; the run began at `began_ns`."""
    match arrivals:
        case Constant(interval):
            return schedule.constant(now_ns, int(interval * 1e9), rng.random())
        case Poisson(interval):
            return schedule.poisson(now_ns, int(interval * 1e9), rng)
        case Lockstep(interval):
            return schedule.lockstep(now_ns, int(interval * 1e9))
    return schedule.varying(now_ns, began_ns, lambda at_s: rate(arrivals, at_s), extremes(arrivals)[1], rng)


def rate(arrivals: Ramp | Steps | Spike, at_s: float) -> float:
    """Requests per second of one user, `at_s` seconds after the run began."""
    match arrivals:
        case Ramp(start, end, over):
            along = min(max(at_s / over, 0.0), 1.0)
            return (1 - along) / start + along / end
        case Steps(intervals, every):
            return 1 / intervals[min(int(max(at_s, 0.0) / every), len(intervals) - 1)]
        case Spike(interval, at, lasting, factor):
            return (factor if at <= at_s < at + lasting else 1) / interval


def extremes(arrivals: Arrivals) -> tuple[float, float]:
    """The lowest and the highest rate, in requests per second of one user."""
    match arrivals:
        case Ramp(start, end, _):
            return 1 / max(start, end), 1 / min(start, end)
        case Steps(intervals, _):
            return 1 / max(intervals), 1 / min(intervals)
        case Spike(interval, _, _, factor):
            return min(factor, 1) / interval, max(factor, 1) / interval
    return 1 / arrivals.interval, 1 / arrivals.interval
