"""Limits as people write them: how they are read, and those that one run must keep.

    run limit = goal ("<" | "<=") duration             first_event < 500ms
    goal      = first_event | first_thought | first_chunk | accepted
              | gap_max | gap_p95 | chunk_gap_max | run
    duration  = number ("us" | "µs" | "ms" | "s" | "m" | "h")

Thresholds (`threshold`) are read with the same words.
"""

import re
from decimal import Decimal
from enum import StrEnum
from typing import Final

from msgspec import Struct

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d{1,18}(?:\.\d{1,18})?(?:e-?\d{1,2})?)|(?P<word>[^\W\d][\w.]*)|(?P<sign><=|>=|==|/s\b|.))"
)
_BYTES: Final = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_MOST_BYTES: Final = 10**15
_NS: Final = {"us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9}
_MOST_NS: Final = 10**18  # as in the plan: as nanoseconds it still fits 64 bits
_SHOWN: Final = 100  # characters of what somebody wrote


class LimitError(ValueError):
    """What was written is no limit; the text says which, and why."""


class Operator(StrEnum):
    """How a value is held against a limit."""

    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="
    EXACTLY = "=="

    def holds(self, value: float, limit: float) -> bool:
        """Whether `value` keeps `limit`."""
        match self:
            case Operator.BELOW:
                return value < limit
            case Operator.AT_MOST:
                return value <= limit
            case Operator.ABOVE:
                return value > limit
            case Operator.AT_LEAST:
                return value >= limit
            case Operator.EXACTLY:
                return value == limit


class Reader:
    """Reads a limit word by word; whatever is not as it should be is a `LimitError` naming the whole."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self._tokens = [(str(m.lastgroup), str(m[str(m.lastgroup)])) for m in _TOKEN.finditer(self.text)]

    def error(self, problem: str) -> LimitError:
        """What to raise."""
        shown = self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}…"
        return LimitError(f"{shown!r}: {problem}")

    def _expected(self, what: str) -> LimitError:
        found = repr(self._tokens[0][1]) if self._tokens else "the end"
        return self.error(f"{what} was expected where {found} stands")

    def next_is(self, token: str) -> bool:
        """Take `token` where it comes next."""
        if self._tokens and self._tokens[0][1] == token:
            del self._tokens[0]
            return True
        return False

    def word(self, what: str) -> str:
        """Take a word; `what` is what it stands for."""
        if self._tokens and self._tokens[0][0] == "word":
            return self._tokens.pop(0)[1]
        raise self._expected(what)

    def expect(self, token: str) -> None:
        """Take `token`."""
        if not self.next_is(token):
            raise self._expected(repr(token))

    def operator(self, *allowed: Operator) -> Operator:
        """Take one of `allowed`."""
        for operator in allowed:
            if self.next_is(operator):
                return operator
        raise self._expected(" or ".join(allowed))

    def number(self) -> Decimal:
        """Take a number."""
        if self._tokens and self._tokens[0][0] == "number":
            return Decimal(self._tokens.pop(0)[1])
        raise self._expected("a number")

    def nanoseconds(self) -> int:
        """Take a duration with its unit."""
        number = self.number()
        unit = self._tokens[0][1] if self._tokens else ""
        if unit not in _NS:
            raise self._expected("a unit of time (us, ms, s, m, h)")
        del self._tokens[0]
        ns = number * Decimal(_NS[unit])
        if ns > _MOST_NS:
            raise self.error("that is longer than anything lasts")
        return int(ns)

    def size(self) -> int:
        """Take a number of bytes with its unit."""
        number = self.number()
        unit = self._tokens[0][1] if self._tokens else ""
        if unit not in _BYTES:
            raise self._expected("a unit of size (kB, MB, GB, KiB, MiB, GiB)")
        del self._tokens[0]
        size = number * _BYTES[unit]
        if size > _MOST_BYTES:
            raise self.error("that is more than any memory holds")
        return int(size)

    def end(self) -> None:
        """Nothing more may come."""
        if self._tokens:
            raise self._expected("the end")


class Goal(StrEnum):
    """The times of one run that a limit can be set on."""

    FIRST_EVENT = "first_event"
    FIRST_THOUGHT = "first_thought"
    FIRST_CHUNK = "first_chunk"
    ACCEPTED = "accepted"
    GAP_MAX = "gap_max"
    GAP_P95 = "gap_p95"
    CHUNK_GAP_MAX = "chunk_gap_max"
    RUN = "run"


class RunLimit(Struct, frozen=True):
    """One limit that a good run keeps; `text` is how it was written."""

    goal: Goal
    operator: Operator
    limit_ns: int
    text: str


def run_limit(text: str) -> RunLimit:
    """Read a limit on one run; raises `LimitError`."""
    reader = Reader(text)
    name = reader.word("the name of a limit")
    if name not in set(Goal):
        raise reader.error(f"there is no {name!r}; known are {', '.join(Goal)}")
    operator = reader.operator(Operator.BELOW, Operator.AT_MOST)
    limit_ns = reader.nanoseconds()
    reader.end()
    return RunLimit(Goal(name), operator, limit_ns, reader.text)
