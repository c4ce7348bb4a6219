"""Tells whether one server is worse than another, from launches of both.

The launch of the server is what is repeated: within one launch everything shares
one layout of memory, one order of imports, one neighbour, so that a thousand values
of it are one value (Kalibera & Jones, arXiv:2007.10899). So each launch gives one
figure, and the figures are compared as logarithms, hence as ratios of geometric
means: by Student's t over pairs of launches that ran side by side, else by Welch's.

    allowed      1          1 + δ
                 │            ┊
      ├──●──┤    │            ┊            PASS: the whole interval lies below the limit
                 │      ├──●──┼──┤         unknown: it lies astride
                 │            ┊   ├──●──┤  FAIL: it lies above

Any metric makes the whole fail, so that the lower ends are Holm's (together wrong in
5 %); all must pass for a pass, which needs no such correction (Berger, 1982), so that
each upper end is its own 95 % bound.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from enum import StrEnum
from statistics import fmean, variance
from typing import Final

from msgspec import Struct

from streamgauge.core import student
from streamgauge.core.finding import Outcome

ERROR: Final = 0.05  # how often a fail, or a pass, may be wrong
POWER: Final = 0.8  # how often the smallest detectable change is found
_GRAIN: Final = 0.008**2 / 12  # variance of what a histogram rounds: no launch is known better
_MOST_LAUNCHES: Final = 1_000


class Gate(Struct, frozen=True):
    """A metric, and how much worse it may become."""

    name: str
    allowed: float | None = None  # 0.05: by a twentieth; None: it is shown, and decides nothing
    falling: bool = False  # less of it is worse


class Design(StrEnum):
    """How the launches were made."""

    PAIRED = "side by side"
    APART = "apart"


class Comparison(Struct, frozen=True):
    """One metric: all ratios are head's to base's, a limit of what more is worse of is above 1."""

    name: str
    launches: tuple[int, int]  # that gave a figure, of base and of head
    base: float | None  # geometric means
    head: float | None
    ratio: float | None = None
    low: float | None = None  # None where one launch a side tells nothing of the spread
    high: float | None = None
    limit: float | None = None  # None where it decides nothing
    outcome: Outcome = Outcome.UNKNOWN
    detectable: float | None = None  # the least ratio that so many launches find in four of five comparisons
    needs: int | None = None  # launches a side with which the same server passes in four of five


class _Estimate(Struct, frozen=True):
    """How much worse head is, as a logarithm."""

    worse: float
    error: float
    freedom: float

    def below(self, chance: float) -> float:
        return self.worse - student.quantile(1 - chance, self.freedom) * self.error

    def above(self, chance: float) -> float:
        return self.worse + student.quantile(1 - chance, self.freedom) * self.error

    def chance(self, limit: float) -> float:
        """Of seeing this or more where the truth is at `limit`."""
        return student.chance_above((self.worse - limit) / self.error, self.freedom)


Figures = Mapping[str, Sequence[float | None]]  # by metric, one a launch


def compare(gates: Sequence[Gate], base: Figures, head: Figures, design: Design) -> tuple[Comparison, ...]:
    """Compare every metric; of launches side by side, the i-th of both sides are a pair."""
    logs = {gate.name: _logs(base[gate.name], head[gate.name], design) for gate in gates}
    estimates = {
        gate.name: estimate
        for gate in gates
        for estimate in [_estimate(*logs[gate.name], design, falling=gate.falling)]
        if estimate is not None
    }
    levels = _holm(gates, estimates)
    return tuple(
        _comparison(gate, *logs[gate.name], estimates.get(gate.name), levels.get(gate.name, ERROR), design)
        for gate in gates
    )


def decide(comparisons: Sequence[Comparison]) -> Outcome:
    """One fail is a fail; a pass takes that all pass that decide anything."""
    outcomes = {one.outcome for one in comparisons if one.limit is not None}
    if Outcome.FAIL in outcomes:
        return Outcome.FAIL
    return Outcome.PASS if outcomes == {Outcome.PASS} else Outcome.UNKNOWN


def _logs(
    base: Sequence[float | None], head: Sequence[float | None], design: Design
) -> tuple[list[float], list[float]]:
    """Logarithms of what there is; what is missing in one of a pair leaves the pair out."""
    if design is Design.PAIRED:
        whole = [(one, other) for one, other in zip(base, head, strict=True) if one and other]
        return [math.log(one) for one, _ in whole], [math.log(other) for _, other in whole]
    return [math.log(one) for one in base if one], [math.log(one) for one in head if one]


def _estimate(
    base: Sequence[float], head: Sequence[float], design: Design, *, falling: bool
) -> _Estimate | None:
    if min(len(base), len(head)) < 2:
        return None
    worse = (fmean(head) - fmean(base)) * (-1 if falling else 1)
    if design is Design.PAIRED:
        spread = variance([one - other for one, other in zip(head, base, strict=True)]) + 2 * _GRAIN
        return _Estimate(worse, math.sqrt(spread / len(base)), len(base) - 1)
    parts = [(variance(side) + _GRAIN) / len(side) for side in (base, head)]
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(side) - 1) for part, side in zip(parts, (base, head), strict=True)
    )
    return _Estimate(worse, math.sqrt(sum(parts)), freedom)


def _holm(gates: Sequence[Gate], estimates: Mapping[str, _Estimate]) -> dict[str, float]:
    """At which level each metric's lower end is taken, so that it lies above the limit where Holm rejects.

    The smallest chance is tested at the level divided by their number, the next one
    less strictly; from the first that is not rejected on all are tested as that was.
    """
    chances = sorted(
        (estimates[gate.name].chance(math.log1p(gate.allowed)), gate.name)
        for gate in gates
        if gate.allowed is not None and gate.name in estimates
    )
    levels: dict[str, float] = {}
    left, rejecting = len(chances), True
    for chance, name in chances:
        levels[name] = ERROR / left
        rejecting = rejecting and chance < levels[name]
        left -= rejecting
    return levels


def _comparison(
    gate: Gate,
    base: Sequence[float],
    head: Sequence[float],
    estimate: _Estimate | None,
    level: float,
    design: Design,
) -> Comparison:
    def ratio(worse: float) -> float:
        return math.exp(-worse if gate.falling else worse)

    allowed = None if gate.allowed is None else math.log1p(gate.allowed)
    comparison = {
        "name": gate.name,
        "launches": (len(base), len(head)),
        "base": math.exp(fmean(base)) if base else None,
        "head": math.exp(fmean(head)) if head else None,
        "ratio": math.exp(fmean(head) - fmean(base)) if base and head else None,
        "limit": None if allowed is None else ratio(allowed),
    }
    if estimate is None:
        return Comparison(**comparison)  # type: ignore[arg-type]  # each as its name says
    low, high = estimate.below(level), estimate.above(ERROR)
    outcome, detectable, needs = Outcome.UNKNOWN, None, None
    if allowed is not None:
        outcome = Outcome.FAIL if low > allowed else Outcome.PASS if high < allowed else Outcome.UNKNOWN
        reach = student.quantile(1 - level, estimate.freedom) + student.quantile(POWER, estimate.freedom)
        detectable = ratio(allowed + reach * estimate.error)
        needs = _needs(estimate.error**2 * 2 / (1 / len(base) + 1 / len(head)), allowed, design)
    ends = sorted((ratio(low), ratio(high)))
    return Comparison(
        **comparison,  # type: ignore[arg-type]  # each as its name says
        low=ends[0],
        high=ends[1],
        outcome=outcome,
        detectable=detectable,
        needs=needs,
    )


def _needs(spread: float, allowed: float, design: Design) -> int | None:
    """How many launches a side bring the upper end of no change below the limit in four of five.

    `spread` is the variance of the difference of one launch a side.
    """

    def enough(launches: int) -> bool:
        freedom = launches - 1 if design is Design.PAIRED else 2 * (launches - 1)
        reach = student.quantile(1 - ERROR, freedom) + student.quantile(POWER, freedom)
        return reach * math.sqrt(spread / launches) <= allowed

    found = bisect_left(range(2, _MOST_LAUNCHES), True, key=enough) + 2
    return found if found < _MOST_LAUNCHES else None
