"""When a run is to stop before its time: `abort_on` of a plan.

A condition is a name of what is counted live, an operator and a number:
`findings > 100`, `runs >= 50000`, `unsent > 1000`.
"""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

NAMES: Final = ("events", "findings", "runs", "unsent", "users")
_OPERATORS: Final[dict[str, Callable[[int, int], bool]]] = {">": operator.gt, ">=": operator.ge}
_CONDITION: Final = re.compile(r"(\w+)\s*(>=|>)\s*(\d+)")


class Condition(Struct, frozen=True):
    """One condition under which a run stops."""

    name: str
    operator: str
    limit: int

    def __str__(self) -> str:
        return f"{self.name} {self.operator} {self.limit}"


def parse(text: str) -> Condition:
    """Read a condition; raises `ValueError` saying what is wrong with it."""
    match = _CONDITION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no condition; write NAME > NUMBER or NAME >= NUMBER")
    name, sign, limit = match.groups()
    if name not in NAMES:
        raise ValueError(f"{text!r}: nothing is counted as {name!r}; known are {', '.join(NAMES)}")
    return Condition(name, sign, int(limit))


def broken(conditions: tuple[Condition, ...], counted: Mapping[str, int]) -> Condition | None:
    """The first condition that holds now."""
    for condition in conditions:
        if _OPERATORS[condition.operator](counted[condition.name], condition.limit):
            return condition
    return None
