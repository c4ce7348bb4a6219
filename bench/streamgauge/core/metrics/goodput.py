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

import numpy as np
from msgspec import Struct

from streamgauge.core.alike import Alike, Arrivals, Times
from streamgauge.core.event import Kind
from streamgauge.core.limit import Goal, RunLimit

Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]


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
        self._limits = {limit.text: limit for limit in limits}.values()  # each once
        self._of = self._good = self._broken = self._unfinished = 0
        self._beyond = {limit.text: 0 for limit in limits}

    def settle(self, runs: Alike) -> None:
        """Take settled runs that are alike."""
        like = runs.of
        if not like.expected:
            return
        good = np.full(runs.n, like.clean and like.finished)
        for limit in self._limits:
            within = kept(limit, runs)
            good &= within
            self._beyond[limit.text] += int((~within).sum())
        self._of += runs.n
        self._good += int(good.sum())
        self._broken += 0 if like.clean else runs.n
        self._unfinished += 0 if like.finished else runs.n

    def state(self) -> GoodputState:
        """What was counted so far."""
        return GoodputState(self._of, self._good, self._broken, self._unfinished, dict(self._beyond))


def kept(limit: RunLimit, runs: Alike) -> Flags:
    """Which of the runs kept one limit."""
    took = _took(limit.goal, runs)
    if took is None:
        return np.zeros(runs.n, bool)
    return np.array([limit.operator.holds(value, limit.limit_ns) for value in took.tolist()])


def _took(goal: Goal, runs: Alike) -> Times | None:
    """The times that `goal` speaks about, in ns; None where what it waits for never came."""
    match goal:
        case Goal.GAP_MAX:
            return _longest(runs.arrivals_ns)
        case Goal.GAP_P95:
            gaps = np.sort(np.diff(runs.arrivals_ns))
            count = gaps.shape[1]
            return gaps[:, math.ceil(0.95 * count) - 1] if count else np.zeros(runs.n, np.int64)
        case Goal.CHUNK_GAP_MAX:
            return _longest(runs.chunks_ns())
        case Goal.ACCEPTED:
            at_ns = runs.accepted_ns if runs.of.accepted else None
        case Goal.FIRST_EVENT:
            at_ns = runs.arrivals_ns[:, 0] if runs.of.kinds else None
        case Goal.FIRST_THOUGHT:
            at_ns = runs.first_ns(Kind.THINKING)
        case Goal.FIRST_CHUNK:
            at_ns = runs.first_ns(Kind.PARTIAL)
        case Goal.RUN:
            at_ns = runs.first_ns(Kind.COMPLETED)
    return None if at_ns is None else np.maximum(at_ns - runs.due_ns, 0)


def _longest(arrivals_ns: Arrivals) -> Times:
    """The longest gap of each run, 0 where there is none."""
    gaps = np.diff(arrivals_ns)
    return gaps.max(axis=1) if gaps.shape[1] else np.zeros(len(arrivals_ns), np.int64)
