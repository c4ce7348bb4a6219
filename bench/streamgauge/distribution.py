"""Times drawn from a named distribution, as plans and scripts write them."""

import math
import random
from typing import Final

from msgspec import Struct

from streamgauge.bounds import NotNegative, Positive, Sigma

# What is asked of an unbounded distribution where a longest value is needed: it is
# exceeded once in ten thousand draws.
_EXPONENTIAL_TAIL: Final = math.log(10_000)
_NORMAL_TAIL: Final = 3.72


class _Named(Struct, frozen=True, forbid_unknown_fields=True, tag_field="dist"):
    """One distribution, told apart by `dist`; the unit is that of the place it stands in."""


class Uniform(_Named, frozen=True, tag="uniform"):
    """Anything from `low` to `high` alike."""

    low: NotNegative
    high: NotNegative

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")


class Exponential(_Named, frozen=True, tag="exponential"):
    """Mostly short, with a mean."""

    mean: Positive


class LogNormal(_Named, frozen=True, tag="lognormal"):
    """Skewed as people's pauses are; `sigma` is that of the logarithm."""

    median: Positive
    sigma: Sigma


Time = NotNegative | Uniform | Exponential | LogNormal


def draw(time: Time, rng: random.Random) -> float:
    """One value."""
    match time:
        case Uniform(low, high):
            return rng.uniform(low, high)
        case Exponential(mean):
            return rng.expovariate(1 / mean)
        case LogNormal(median, sigma):
            return rng.lognormvariate(math.log(median), sigma)
    return float(time)


def longest(time: Time) -> float:
    """A value that is not exceeded, or but once in ten thousand draws."""
    match time:
        case Uniform(_, high):
            return high
        case Exponential(mean):
            return mean * _EXPONENTIAL_TAIL
        case LogNormal(median, sigma):
            return median * math.exp(_NORMAL_TAIL * sigma)
    return float(time)


def shortest(time: Time) -> float:
    """A value that is always reached."""
    match time:
        case Uniform(low, _):
            return low
        case Exponential() | LogNormal():
            return 0.0
    return float(time)
