"""What a rule's function answers where its rule is broken, and what the kinds with numbers are called."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from streamgauge.core.contract import Rule
from streamgauge.core.finding import Ranges

GAP: Final = "gap"
HEAD_MISSING: Final = "head missing"
REPEAT: Final = "repeat"
STEP_BACK: Final = "step back"
WRONG_INDEX: Final = "wrong index"
SILENT: Final = "silent"
OTHER_THOUGHTS: Final = "not the thoughts of the script"
OTHER_TOOLS: Final = "not the tools of the script"
OTHER_PARTS: Final = "not the parts of the script"
OF_THE_SCRIPT: Final = frozenset({OTHER_THOUGHTS, OTHER_TOOLS, OTHER_PARTS})
SHARED: Final = "one run id at two users"

MOST_NUMBERS: Final = 20  # ranges that are kept of a breach; a run may have thousands of gaps


class Problem(NamedTuple):
    """One breach: of which rule, its kind, and at which events (places in the run's list).

    The rest is as in `Finding`.
    """

    rule: Rule
    problem: str
    at: tuple[int, ...] = ()
    numbers: Ranges = ()
    more: int = 0
    lasted_ns: int = 0


def extended(numbers: Ranges, more: int, number: int) -> tuple[Ranges, int]:
    """The same with one more number, as it came."""
    first, last = numbers[-1]
    if not more and number == last + 1:
        return (*numbers[:-1], (first, number)), 0
    if len(numbers) < MOST_NUMBERS:
        return (*numbers, (number, number)), 0
    return numbers, more + 1


def kept(ranges: Sequence[range]) -> tuple[Ranges, int]:
    """The first ranges, none of them empty, and how many numbers are in the others."""
    first = tuple((numbers[0], numbers[-1]) for numbers in ranges[:MOST_NUMBERS])
    return first, sum(map(len, ranges[MOST_NUMBERS:]))
