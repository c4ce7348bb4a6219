"""What the naive checker has to say of numbers that should run 1, 2, 3 …, as pairs of a first and a last."""

from collections.abc import Sequence
from itertools import pairwise


def missing(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """The numbers that never came, below the highest that did: from and to."""
    seen = sorted({0, *numbers})
    return [(low + 1, high - 1) for low, high in pairwise(seen) if high > low + 1]


def beyond(gaps: Sequence[tuple[int, int]], known: int) -> list[tuple[int, int]]:
    """The same numbers without so many of the first."""
    left = []
    for low, high in gaps:
        taken = min(known, high - low + 1)
        known -= taken
        if low + taken <= high:
            left.append((low + taken, high))
    return left


def shown(pairs: Sequence[tuple[int, int]]) -> tuple[tuple[tuple[int, int], ...], int]:
    """Twenty of them, and how many numbers there are more."""
    return tuple(pairs[:20]), sum(high - low + 1 for low, high in pairs[20:])
