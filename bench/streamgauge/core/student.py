"""Student's t distribution, for samples of a dozen: no library of statistics is needed for this."""

import math
from functools import lru_cache
from statistics import NormalDist
from typing import Final

_TINY: Final = 1e-300
_STEPS: Final = 500
_CLOSE: Final = 1e-12


def chance_above(t: float, freedom: float) -> float:
    """The probability of a value above `t` with `freedom` degrees of freedom, whole or not."""
    tail = _incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2
    return tail if t > 0 else 1 - tail


@lru_cache(maxsize=4_096)
def quantile(p: float, freedom: float) -> float:
    """The value that is exceeded with probability 1 - `p`."""
    if p < 0.5:
        return -quantile(1 - p, freedom)
    low, high, t = 0.0, math.inf, max(NormalDist().inv_cdf(p), 1e-9)
    for _ in range(_STEPS):  # Newton's, kept between what is too low and what is too high
        excess = chance_above(t, freedom) - (1 - p)
        low, high = (t, high) if excess > 0 else (low, t)
        better = t + excess / _density(t, freedom)
        if not low < better < high:
            better = (low + high) / 2 if high < math.inf else 2 * t
        if abs(better - t) <= _CLOSE * (1 + t):
            break
        t = better
    return t


def _density(t: float, freedom: float) -> float:
    ways = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)
    return math.exp(ways - (freedom + 1) / 2 * math.log1p(t * t / freedom)) / math.sqrt(freedom * math.pi)


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function (Press et al., Numerical Recipes, 6.4)."""
    if not 0 < x < 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast on one side only
        return 1 - _incomplete_beta(1 - x, b, a)
    ways = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(ways + a * math.log(x) + b * math.log1p(-x)) / a
    return front * _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, 1 / _off_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _STEPS):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _off_zero(1 + numerator * d)
            c = _off_zero(1 + numerator / c)
            value *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return value


def _off_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
