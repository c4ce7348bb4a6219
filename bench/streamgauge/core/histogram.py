"""Counts of durations in log-linear buckets: exact below 128 ns, within 0.8 % above.

The layout is HdrHistogram's (G. Tene, hdrhistogram.org): 64 buckets to each power
of two. Values are appended to an array and counted by numpy in batches, which
costs a hot path 0.1 µs a value. Counts of several processes add up exactly.
"""

from array import array
from collections.abc import Callable
from typing import Final

import numpy as np
from msgspec import Struct

_BITS: Final = 6  # 64 buckets to a power of two
_LINEAR: Final = 1 << (_BITS + 1)  # below this a bucket holds one value
_BATCH: Final = 8192

Values = np.ndarray[tuple[int], np.dtype[np.int64]]


class Distribution(Struct, frozen=True):
    """What a histogram knows, to be merged, shipped and asked for quantiles.

    `buckets` (ascending bucket numbers) and `counts` stand side by side; `n`,
    `total`, `least` and `most` are exact. Durations are nanoseconds, never negative.
    """

    n: int = 0
    total: int = 0
    least: int = 0
    most: int = 0
    buckets: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()

    def merge(self, other: "Distribution") -> "Distribution":
        """The distribution of both."""
        if not self.n or not other.n:
            return self if self.n else other
        summed = dict(zip(self.buckets, self.counts, strict=True))
        for bucket, count in zip(other.buckets, other.counts, strict=True):
            summed[bucket] = summed.get(bucket, 0) + count
        return Distribution(
            self.n + other.n,
            self.total + other.total,
            min(self.least, other.least),
            max(self.most, other.most),
            tuple(sorted(summed)),
            tuple(summed[bucket] for bucket in sorted(summed)),
        )

    def at_rank(self, rank: int) -> int:
        """The value of the `rank`-th smallest (from 1), as its bucket's middle, in ns."""
        if not 1 <= rank <= self.n:
            raise ValueError(f"rank {rank} of {self.n} values")
        seen = np.cumsum(self.counts)
        middle = _middle(self.buckets[int(np.searchsorted(seen, rank))])
        return min(max(middle, self.least), self.most)

    def quantile(self, q: float) -> int:
        """The smallest value that at least the share `q` does not exceed, in ns."""
        return self.at_rank(max(1, int(np.ceil(q * self.n))))

    @property
    def mean(self) -> float:
        """The exact mean, in ns."""
        return self.total / self.n


class Histogram:
    """Collects durations; a negative one is counted in `negative` and left out, `nearest` is next to 0.

    `add` takes one duration and does nothing but keep it; `compact`, called now and then, counts
    what was kept.
    """

    def __init__(self) -> None:
        self._pending = array("q")
        self.add: Callable[[int], None] = self._pending.append
        self._counts: dict[int, int] = {}
        self._n = self._total = self._most = self.negative = 0
        self.nearest = 0  # of the negative ones; 0 where there is none
        self._least: int | None = None

    def extend(self, values_ns: Values) -> None:
        """Take some durations."""
        self._pending.frombytes(values_ns.tobytes())
        if len(self._pending) >= _BATCH:
            self._count()

    def compact(self) -> None:
        """Count what waits, where it is worth it."""
        if len(self._pending) >= _BATCH:
            self._count()

    def _count(self) -> None:
        values = np.frombuffer(self._pending, dtype=np.int64).copy()
        del self._pending[:]
        kept = values[values >= 0]
        if len(kept) < len(values):
            self.negative += len(values) - len(kept)
            nearest = int(values[values < 0].max())
            self.nearest = max(self.nearest, nearest) if self.nearest else nearest
        if not len(kept):
            return
        least = int(kept.min())
        self._least = least if self._least is None else min(self._least, least)
        self._most = max(self._most, int(kept.max()))
        self._n += len(kept)
        self._total += int(kept.sum())
        for bucket, count in zip(*np.unique(_bucket(kept), return_counts=True), strict=True):
            self._counts[int(bucket)] = self._counts.get(int(bucket), 0) + int(count)

    def distribution(self) -> Distribution:
        """Everything collected so far."""
        if self._pending:
            self._count()
        buckets = tuple(sorted(self._counts))
        return Distribution(
            self._n,
            self._total,
            self._least or 0,
            self._most,
            buckets,
            tuple(self._counts[bucket] for bucket in buckets),
        )


def _bucket(values: Values) -> Values:
    # frexp is exact for what fits a double's 53 bits (104 days in ns)
    exponent = np.frexp(values.astype(np.float64))[1].astype(np.int64)
    shift = np.maximum(exponent - (_BITS + 1), 0)
    return (shift << _BITS) + (values >> shift)


def _middle(bucket: int) -> int:
    if bucket < _LINEAR:
        return bucket
    shift = (bucket >> _BITS) - 1
    low = (bucket - (shift << _BITS)) << shift
    return low + (1 << shift) // 2
