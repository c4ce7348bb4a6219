"""Whether two things can be told apart by how long they take to be answered."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from streamgauge.core.interval import quantile_ranks

_MEDIAN: Final = 0.5


class Telling(Struct, frozen=True):
    """The median difference of pairs of times in ns, with its 95 % interval; none of too few pairs."""

    pairs: int
    difference_ns: int | None = None
    low_ns: int | None = None
    high_ns: int | None = None

    @property
    def can_be_told(self) -> bool:
        """Whether 0 lies outside of the interval."""
        return self.low_ns is not None and self.high_ns is not None and not self.low_ns <= 0 <= self.high_ns


def tell(pairs: Sequence[tuple[int, int]]) -> Telling:
    """Of pairs of times in ns that were taken one right after the other: the first minus the second.

    Whatever disturbed both of a pair alike is no part of their difference. The interval
    is one of order statistics (`core.interval`): no shape of the differences is assumed.
    """
    differences = sorted(one - other for one, other in pairs)
    ranks = quantile_ranks(_MEDIAN, len(differences)) if differences else None
    if ranks is None:
        return Telling(len(differences))
    middle = (differences[(len(differences) - 1) // 2] + differences[len(differences) // 2]) // 2
    low, high = (differences[rank - 1] for rank in ranks)
    return Telling(len(differences), middle, low, high)
