"""The search for the largest number of users that keeps the thresholds.

It climbs from the first number by a factor until a step does not keep them, halves the
gap (on a logarithmic scale) between the largest kept and the smallest not kept, and then
tries both ends again. The next number follows from the steps so far and from nothing else.

What the generator could not do says nothing about the target: such a step is neither
kept nor failed. A number that was kept once and failed once is open; it belongs to the
interval, whose ends are sought on either side of it.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from streamgauge.core.threshold import ThresholdResult

_PATIENCE: Final = 2  # times as many tries as agreeing results are wanted, then a number is left


class Result(StrEnum):
    """What a step came to: the thresholds were kept, or what kept them from being kept."""

    KEPT = "kept"
    TARGET = "target"
    REFUSALS = "refusals"
    GENERATOR = "generator"
    UNMEASURED = "unmeasured"  # too few samples, a clock that was set: it says nothing of anybody


class Step(Struct, frozen=True):
    """One run with so many users; CPU is in cores, at the rate of `events_per_s`; None: not known."""

    users: int
    result: Result
    why: str = ""  # in one line; "" of what was kept
    connected: int = 0
    events_per_s: float = 0.0  # while all users were there
    server_cpu: float | None = None
    server_rss_bytes: int | None = None
    generator_cpu: float | None = None  # of all workers
    busiest_worker: float | None = None  # of a core, over the time of the load
    thresholds: tuple[ThresholdResult, ...] = ()
    folder: str = ""


class Search(Struct, frozen=True):
    """Where to look, and how exactly."""

    first: int
    most: int
    retests: int = 2  # of each end, that must agree with what was seen
    tolerance: float = 0.1  # the ends are this close, as a part of the lower one
    factor: float = 2.0


class Move(Struct, frozen=True):
    """The next step: with so many users, and why so many."""

    users: int
    purpose: str


class End(Struct, frozen=True):
    """One end of the interval: how often it was seen, and whether that was often enough."""

    users: int
    seen: int
    confirmed: bool


class Capacity(Struct, frozen=True):
    """What is known: the largest number kept, the smallest not kept, and what limits it.

    `gave_out` is the number at which the generator did, `open` those that came out now so, now so.
    """

    kept: End | None
    failed: End | None
    limit: Result | None = None
    why: str = ""
    open: tuple[int, ...] = ()
    gave_out: int | None = None

    @property
    def found(self) -> bool:
        """Whether both ends are believed, and it was the target that set the upper one."""
        ends = self.kept is not None and self.failed is not None
        return (
            ends
            and all(end is not None and end.confirmed for end in (self.kept, self.failed))
            and self.limit in _FAILING
        )


_FAILING: Final = (Result.TARGET, Result.REFUSALS)


class _Standing(StrEnum):
    KEPT = "kept"
    FAILED = "failed"
    GENERATOR = "generator"
    OPEN = "open"


def next_move(search: Search, steps: Sequence[Step], affordable: int) -> Move | None:
    """The next step, of `affordable` ones that there is time for; None where the search is over."""
    if affordable < 1:
        return None
    if not steps:
        return Move(search.first, "climb")
    standing = _standings(steps)
    kept, failed = _ends(standing)
    top = max(step.users for step in steps)
    if failed is None and top < search.most and standing.get(top) is not _Standing.GENERATOR:
        return Move(min(search.most, max(top + 1, round(top * search.factor))), "climb")
    lacking = dict(_lacking(search, steps, standing))
    tries = Counter(step.users for step in steps)
    once = [n for n, how in standing.items() if how is _Standing.GENERATOR and tries[n] == 1]
    if once and search.retests:
        return Move(once[0], "re-test")  # a hiccup of the machine: not worth a search below it
    if affordable > sum(lacking.values()):
        for low, high in _gaps(standing, kept, failed):
            if high - low > 1 and high > low * (1 + search.tolerance):
                between = min(max(round(math.sqrt(low * high)), low + 1), high - 1)
                if between not in tries:
                    return Move(between, "bisect")
    if lacking:
        # the one that is least sure; of two alike the upper one, where noise strikes first
        return Move(max(lacking, key=lambda users: (lacking[users], users)), "re-test")
    return None


def conclude(search: Search, steps: Sequence[Step]) -> Capacity:
    """What the steps say of the capacity."""
    standing = _standings(steps)
    kept, failed = _ends(standing)
    gave_out = min((n for n, how in standing.items() if how is _Standing.GENERATOR), default=None)
    limit, why = None, ""
    if failed is not None:
        results = Counter(step.result for step in steps if step.users == failed)
        blamed = max(_FAILING, key=lambda result: results[result])
        # one healthy failure among runs in which the generator was ill is not believed to be the target's
        ill = results[Result.GENERATOR] >= sum(results[result] for result in _FAILING)
        limit = Result.GENERATOR if ill else blamed
        why = _why(steps, failed, limit)
    elif gave_out is not None:
        limit, why = Result.GENERATOR, _why(steps, gave_out, Result.GENERATOR)
    return Capacity(
        kept=_end(search, steps, kept),
        failed=_end(search, steps, failed),
        limit=limit,
        why=why,
        open=tuple(n for n, how in standing.items() if how is _Standing.OPEN),
        gave_out=gave_out,
    )


def _standings(steps: Iterable[Step]) -> dict[int, _Standing]:
    """How each number stands, ascending; what was unmeasured below all else is left out."""
    results: dict[int, set[Result]] = {}
    for step in steps:
        results.setdefault(step.users, set()).add(step.result)
    lowest = min((n for n, found in results.items() if found != {Result.UNMEASURED}), default=math.inf)
    return {n: _standing(results[n]) for n in sorted(results) if n >= lowest}


def _standing(results: set[Result]) -> _Standing:
    kept, failed = Result.KEPT in results, not results.isdisjoint(_FAILING)
    if kept and not failed:
        return _Standing.KEPT
    if failed and not kept:
        return _Standing.FAILED
    if Result.GENERATOR in results and not kept:
        return _Standing.GENERATOR
    return _Standing.OPEN


def _ends(standing: dict[int, _Standing]) -> tuple[int | None, int | None]:
    """The largest number kept below all others, and the smallest failed above all others."""
    lowest = min((n for n, how in standing.items() if how is not _Standing.KEPT), default=math.inf)
    highest = max((n for n, how in standing.items() if how is not _Standing.FAILED), default=0)
    return (
        max((n for n in standing if n < lowest), default=None),
        min((n for n in standing if n > highest), default=None),
    )


def _gaps(standing: dict[int, _Standing], kept: int | None, failed: int | None) -> Iterator[tuple[int, int]]:
    """What is to be narrowed: one gap where the border is sharp, one on either side of what is open."""
    if kept is not None and (above := min((n for n in standing if n > kept), default=None)) is not None:
        yield kept, above
    if failed is not None and (below := max((n for n in standing if n < failed), default=None)) is not None:
        yield below, failed


def _lacking(
    search: Search, steps: Sequence[Step], standing: dict[int, _Standing]
) -> Iterator[tuple[int, int]]:
    """How many more results the ends need; where the generator gave out, that is an end too."""
    kept, failed = _ends(standing)
    ends = {kept, failed}
    if failed is None:
        ends.add(next((n for n, how in standing.items() if how is _Standing.GENERATOR), None))
    for users in ends - {None}:
        assert users is not None
        tried = sum(step.users == users for step in steps)
        lacks = 1 + search.retests - _seen(steps, users, standing[users])
        if lacks > 0 and tried < _PATIENCE * (1 + search.retests):
            yield users, lacks


def _seen(steps: Iterable[Step], users: int, how: _Standing) -> int:
    """How many results made the number's standing."""
    makes = {
        _Standing.KEPT: (Result.KEPT,),
        _Standing.FAILED: _FAILING,
        _Standing.GENERATOR: (Result.GENERATOR,),
        _Standing.OPEN: (),
    }[how]
    return sum(step.users == users and step.result in makes for step in steps)


def _end(search: Search, steps: Sequence[Step], users: int | None) -> End | None:
    if users is None:
        return None
    seen = _seen(steps, users, _standings(steps)[users])
    return End(users, seen, confirmed=seen > search.retests)


def _why(steps: Iterable[Step], users: int, result: Result) -> str:
    return next((step.why for step in steps if step.users == users and step.result is result), "")
