"""When a run is to stop before its time: `abort_on` of a plan.

A condition is a name of what is counted live, an operator and a number:
`findings > 100`, `leaks > 0`, `runs >= 50000`. The names are those that
thresholds hold against a rate, counted, and a few more.
"""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from streamgauge.core.measured import CHUNK_RATE, DURATIONS, FIGURES, RATES, SHARES

NAMES: Final = ("events", "findings", "runs", "users", *RATES)
_LATE: Final = frozenset((*DURATIONS, CHUNK_RATE, *SHARES, *FIGURES))  # what only the end of a run knows
_OPERATORS: Final[dict[str, Callable[[int, int], bool]]] = {">": operator.gt, ">=": operator.ge}
_CONDITION: Final = re.compile(r"(\w+)\s*(>=|>)\s*(\d{1,18})")
_NAMED: Final = re.compile(r"(?:[\w.]+\s*\()?\s*(\w+)")  # in a threshold


class Condition(Struct, frozen=True):
    """One condition under which a run stops."""

    name: str
    operator: str
    limit: int

    def __str__(self) -> str:
        return f"{self.name} {self.operator} {self.limit}"


def parse(text: str) -> Condition:
    """Read a condition; raises `ValueError` saying what is wrong with it."""
    named = _NAMED.match(text.strip())
    if named and named[1] in _LATE:
        raise ValueError(
            f"{text!r}: {named[1]!r} is known at the end of a run only: make it a threshold; "
            f"counted live are {', '.join(NAMES)}"
        )
    match = _CONDITION.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"{text!r} is no condition; write NAME > NUMBER or NAME >= NUMBER, "
            "with a count, a whole number from 0 on"
        )
    name, sign, limit = match.groups()
    if name not in NAMES:
        raise ValueError(f"{text!r}: nothing is counted as {name!r}; known are {', '.join(NAMES)}")
    return Condition(name, sign, int(limit))


def broken(conditions: tuple[Condition, ...], counted: Mapping[str, int]) -> Condition | None:
    """The first condition that holds now; what is not counted yet is 0."""
    for condition in conditions:
        if _OPERATORS[condition.operator](counted.get(condition.name, 0), condition.limit):
            return condition
    return None
