"""How sure a figure is: intervals of quantiles and of shares.

A quantile's interval is a pair of order statistics (binomial ranks; Conover,
Practical Nonparametric Statistics, 3.2): no shape of the distribution is assumed.
It exists only where the sample carries it: a two-sided 95 % interval of the p99
needs 299 values, of the p99.9 2,995.
"""

import math
from statistics import NormalDist
from typing import Final

import numpy as np

CONFIDENCE: Final = 0.95
_EXACT: Final = 1_000_000  # above this the normal approximation of the ranks is exact enough


def least_sample(q: float, confidence: float = CONFIDENCE) -> int:
    """How many values it takes for the quantile `q` to lie between the least and the most of them."""
    n = math.ceil(math.log(1 - confidence) / math.log(max(q, 1 - q)))
    while q**n + (1 - q) ** n > 1 - confidence:
        n += 1
    return n


def quantile_ranks(q: float, n: int, confidence: float = CONFIDENCE) -> tuple[int, int] | None:
    """Ranks (from 1) between which the quantile `q` of `n` values lies; None where n is too small."""
    if n < least_sample(q, confidence):
        return None
    if q < 0.5:  # the mirror image
        low, high = quantile_ranks(1 - q, n, confidence) or (1, n)
        return n + 1 - high, n + 1 - low
    tail = (1 - confidence) / 2
    if n > _EXACT:
        spread = NormalDist().inv_cdf(1 - tail) * math.sqrt(n * q * (1 - q))
        return max(1, math.floor(n * q - spread)), min(n, math.ceil(n * q + spread) + 1)
    below = np.cumsum(_binomial(n, q))  # below[k]: probability that at most k values lie below it
    high = min(n, int(np.searchsorted(below, 1 - tail)) + 1)
    rest = float(below[high - 1]) - confidence  # a small sample's upper end takes more than its half
    low = int(np.searchsorted(below, min(tail, rest), side="right"))
    return max(1, low), high


def _binomial(n: int, p: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    k = np.arange(n)
    steps = np.log((n - k) / (k + 1)) + math.log(p / (1 - p))
    return np.exp(n * math.log1p(-p) + np.concatenate(([0.0], np.cumsum(steps))))


def zero_upper_bound(n: int, confidence: float = CONFIDENCE) -> float:
    """The upper bound on a rate of which nothing was seen in `n` trials (about 3/n)."""
    if n < 1:
        return 1.0
    return -math.expm1(math.log(1.0 - confidence) / n)
