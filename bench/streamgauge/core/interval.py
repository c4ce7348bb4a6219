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
    first, chances = _binomial(n, q)
    below = np.cumsum(chances)  # below[k]: probability that at most first + k values lie below it
    high = min(n, first + int(np.searchsorted(below, 1 - tail)) + 1)
    rest = float(below[high - 1 - first]) - confidence  # a small sample's upper end takes more than its half
    low = first + int(np.searchsorted(below, min(tail, rest), side="right"))
    return max(1, low), high


def _binomial(n: int, p: float) -> tuple[int, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """A first k, and the chances of k, k + 1, … hits in `n` trials, without those below 10⁻²⁰."""
    reach = 40 + 10 * math.sqrt(n * p * (1 - p))
    first, last = max(0, math.floor(n * p - reach)), min(n, math.ceil(n * p + reach))
    k = np.arange(first, last)
    steps = np.log((n - k) / (k + 1)) + math.log(p / (1 - p))
    ways = math.lgamma(n + 1) - math.lgamma(first + 1) - math.lgamma(n - first + 1)
    start = ways + first * math.log(p) + (n - first) * math.log1p(-p)
    return first, np.exp(start + np.concatenate(([0.0], np.cumsum(steps))))


def zero_upper_bound(n: int, confidence: float = CONFIDENCE) -> float:
    """The upper bound on a rate of which nothing was seen in `n` trials (about 3/n)."""
    if n < 1:
        return 1.0
    return -math.expm1(math.log(1.0 - confidence) / n)


def share_interval(hits: int, of: int) -> tuple[float, float] | None:
    """Between what the share lies of which `hits` in `of` trials were seen; None without trials.

    Wilson's score interval (E. B. Wilson, 1927), which stays within 0 and 1 and
    covers well at small counts. Where there was no hit, or nothing else, the bound is
    the one-sided one of `zero_upper_bound`.
    """
    if not 0 <= hits <= of or not of:
        return None
    if hits == 0:
        return 0.0, zero_upper_bound(of)
    if hits == of:
        return 1 - zero_upper_bound(of), 1.0
    z = NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / 2)
    share, spread = hits / of, z * z / of
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
    return middle - half, middle + half


def exact_interval(hits: int, of: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Between what the rate lies at which `hits` in `of` trials were seen; raises `ValueError` of no trials.

    Clopper and Pearson (Biometrika 26, 1934): the ends are the rates at which so many hits
    or more, and so many or fewer, have half of what is left of `confidence`. It never covers less
    than that. Both sides share the risk, also where nothing was seen: `zero_upper_bound` is one-sided.
    """
    if not 0 <= hits <= of or not of:
        raise ValueError(f"{hits} hits in {of} trials")
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else _rate_at(tail, hits, of - hits + 1)
    high = 1.0 if hits == of else _rate_at(1 - tail, hits + 1, of - hits)
    return low, high


_HALVINGS: Final = 200  # enough for the smallest rate there is


def _rate_at(chance: float, a: int, b: int) -> float:
    """The p at which the incomplete beta function I_p(a, b) is `chance`, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if high - low <= 1e-12 * middle:
            break
        if _beta(middle, a, b) < chance:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta(p: float, a: int, b: int) -> float:
    """The regularised incomplete beta function: the chance of `a` or more hits in a + b - 1 trials.

    Its continued fraction converges fast below the mean (DLMF 8.17.22), and is mirrored above.
    """
    if p > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - p, b, a)
    if p <= 0:
        return 0.0
    logarithm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(p) + b * math.log1p(-p)
    return math.exp(logarithm) / (a * _fraction(p, a, b))


def _fraction(p: float, a: int, b: int) -> float:
    """1 + d1/(1 + d2/(1 + …)) of DLMF 8.17.22, by Lentz's algorithm."""
    tiny = 1e-300
    value, c, d, m = 1.0, 1.0, 0.0, 0
    while True:
        for step in (
            -(a + m) * (a + b + m) * p / ((a + 2 * m) * (a + 2 * m + 1)),
            (m + 1) * (b - m - 1) * p / ((a + 2 * m + 1) * (a + 2 * m + 2)),
        ):
            d = 1 / (1 + step * d or tiny)
            c = 1 + step / c or tiny
            value *= c * d
        m += 1
        if abs(c * d - 1) < 1e-14:
            return value
