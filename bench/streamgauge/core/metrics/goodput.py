"""Goodput: runs that brought a result, broke no rule and kept every limit.

A run whose user cancelled it or left, and one that its script fails on purpose
or that is to emit nothing, is not counted either way. Every other settled run is, and is good only where
nothing speaks against it: refused, failed and unanswered runs are not good.

Times count from when the request was due, as all that a user waits for. A limit
on something that never came (`first_chunk` of a run that streams no answer) is
not kept; one on gaps is kept where there was no gap.

What only shows later, or elsewhere, is not held against a run here, though it
fails the verdict: its events on another user's socket, events long after its
end, one run id at two users, gaps in a session's offsets, malformed messages.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from streamgauge.core.event import Kind
from streamgauge.core.history import End, History, terminal
from streamgauge.core.limit import Goal, RunLimit
from streamgauge.core.metrics.latency import first
from streamgauge.core.metrics.streams import chunk_arrivals
from streamgauge.core.observation import arrival_ns


class GoodputState(Struct, frozen=True):
    """How many runs were good, of how many; what spoke against the others, each as often as it did."""

    of: int = 0
    good: int = 0
    broken: int = 0  # broke a rule
    unfinished: int = 0  # brought no result
    beyond: dict[str, int] = {}  # limit, as it was written -> runs that did not keep it

    def merge(self, other: "GoodputState") -> "GoodputState":
        """Both as one; their limits must be the same."""
        if self.beyond.keys() != other.beyond.keys():
            raise ValueError("goodput of different limits cannot be merged")
        return GoodputState(
            self.of + other.of,
            self.good + other.good,
            self.broken + other.broken,
            self.unfinished + other.unfinished,
            {limit: n + other.beyond[limit] for limit, n in self.beyond.items()},
        )


class Goodput:
    """Counts good runs."""

    def __init__(self, limits: Sequence[RunLimit]) -> None:
        self._limits = limits
        self._of = self._good = self._broken = self._unfinished = 0
        self._beyond = {limit.text: 0 for limit in limits}

    def settle(self, history: History, *, clean: bool) -> None:
        """Take a settled run; `clean` where it broke no rule."""
        if history.end is End.ABANDONED or history.cancelled or history.asked.fails or history.asked.silent:
            return
        ending = terminal(history)
        finished = ending is not None and ending.kind == Kind.COMPLETED
        beyond = [limit.text for limit in self._limits if not kept(limit, history)]
        self._of += 1
        self._good += clean and finished and not beyond
        self._broken += not clean
        self._unfinished += not finished
        for text in dict.fromkeys(beyond):
            self._beyond[text] += 1

    def state(self) -> GoodputState:
        """What was counted so far."""
        return GoodputState(self._of, self._good, self._broken, self._unfinished, dict(self._beyond))


def kept(limit: RunLimit, history: History) -> bool:
    """Tell whether a run kept one limit."""
    took = _took(limit.goal, history)
    return took is not None and limit.operator.holds(took, limit.limit_ns)


def _took(goal: Goal, history: History) -> int | None:
    """The time that `goal` speaks about, in ns; None where what it waits for never came."""
    match goal:
        case Goal.GAP_MAX:
            return max(_gaps([arrival_ns(received) for received in history.events]), default=0)
        case Goal.GAP_P95:
            gaps = sorted(_gaps([arrival_ns(received) for received in history.events]))
            return gaps[math.ceil(0.95 * len(gaps)) - 1] if gaps else 0
        case Goal.CHUNK_GAP_MAX:
            return max(_gaps(chunk_arrivals(history)), default=0)
        case Goal.ACCEPTED:
            awaited = history.accepted
        case Goal.FIRST_EVENT:
            awaited = history.events[0] if history.events else None
        case Goal.FIRST_THOUGHT:
            awaited = first(history.events, Kind.THINKING)
        case Goal.FIRST_CHUNK:
            awaited = first(history.events, Kind.PARTIAL)
        case Goal.RUN:
            awaited = first(history.events, Kind.COMPLETED)
    return None if awaited is None else max(0, arrival_ns(awaited) - history.asked.due_ns)


def _gaps(arrivals: Sequence[int]) -> list[int]:
    return [later - earlier for earlier, later in pairwise(arrivals)]
