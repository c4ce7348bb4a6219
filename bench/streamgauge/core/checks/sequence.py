"""Numbers that should run 1, 2, 3 …: each departure called what it is.

A number that comes again is a repeat, one that comes after a higher one a step
back (reordering), one below the highest seen that never comes a gap (loss).
Jepsen's Kafka workload draws the same distinctions for offsets in a log.
"""

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct


class Departures(Struct, frozen=True):
    """Places in the list, but for `missing`, which holds the numbers that never came.

    They are ranges, because a server may jump to any number.
    """

    repeats: tuple[int, ...] = ()
    back: tuple[int, ...] = ()
    missing: tuple[range, ...] = ()

    @property
    def lost(self) -> int:
        """How many numbers never came."""
        return sum(map(len, self.missing))


NONE = Departures()


def departures(numbers: Sequence[int]) -> Departures:
    """Compare `numbers`, in order of arrival, with 1, 2, 3 and so on."""
    if all(number == place for place, number in enumerate(numbers, 1)):
        return NONE
    seen: set[int] = set()
    repeats, back = [], []
    highest = 0
    for place, number in enumerate(numbers):
        if number in seen:
            repeats.append(place)
        elif number < highest:
            back.append(place)
        seen.add(number)
        highest = max(highest, number)
    steps = pairwise(sorted({0, *seen}))
    missing = tuple(range(low + 1, high) for low, high in steps if high > low + 1)
    return Departures(tuple(repeats), tuple(back), missing)
