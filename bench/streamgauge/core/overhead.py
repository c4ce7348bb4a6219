"""Emission overhead: what events cost, from slices whose runs differ in nothing but their events.

A block holds one slice of every arm, in random order and close together in time,
so that what disturbs the machine for longer than a block disturbs all arms alike.
Differences are taken within blocks. Their centre is the Hodges–Lehmann estimate
(the median of the means of all pairs) and its interval that of Wilcoxon's signed
ranks (Hollander and Wolfe, Nonparametric Statistical Methods, 3.2 and 3.3): a
slice that another process disturbed moves them little, and no shape but symmetry
is assumed. Of a slice's times the typical run is taken, because a run that lost the
processor while it handed an event over counts that as its own time. Processor time
is known of whole slices only. The plain mean stands beside them.

The arms `on` and `on2` are the same in all but their name. Their mean is held
against the other arms, and their difference (A/A) shows what the method finds
where there is nothing.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cache
from statistics import NormalDist
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from streamgauge.core.finding import Doubt
from streamgauge.core.interval import CONFIDENCE
from streamgauge.core.slices import Slice

MOST_BLOCKS: Final = 1_000  # more are put together: the pairs of pairs grow with the square

Each = Callable[[Slice], float]  # what a run of a slice cost, in ns
Values = np.ndarray[tuple[int], np.dtype[np.float64]]

_EXACT: Final = 60  # above this the normal approximation of the signed ranks is exact enough


class Arm(StrEnum):
    """What the runs of a slice do about events."""

    ON = "on"
    ON2 = "on2"  # the same again: the control
    ENCODE = "encode"  # events are built and encoded, not sent
    OFF = "off"  # no event is built
    IDLE = "idle"  # no runs: what reading the server's processor time costs


WITH_RUNS: Final = (Arm.ON, Arm.ON2, Arm.ENCODE, Arm.OFF)


class Effect(Struct, frozen=True):
    """A difference in ns a run over `blocks` blocks, with its 95 % interval."""

    value_ns: float
    low_ns: float
    high_ns: float
    mean_ns: float  # without regard to outliers
    blocks: int

    @property
    def half_width_ns(self) -> float:
        """Half the interval."""
        return (self.high_ns - self.low_ns) / 2

    @property
    def holds_zero(self) -> bool:
        """Whether the interval holds zero."""
        return self.low_ns <= 0 <= self.high_ns


class Cost(Struct, frozen=True):
    """One kind of cost, in ns a run; `whole_ns` is what the events' part is a share of."""

    whole_ns: float  # of a run with events
    events: Effect  # with events against without
    encoding: Effect  # building and encoding them, not sending
    sending: Effect  # sending them, beyond building and encoding
    control: Effect  # A/A: zero but for chance

    @property
    def share(self) -> float:
        """The events' part of the whole."""
        return self.events.value_ns / self.whole_ns if self.whole_ns else 0.0


class Overhead(Struct, frozen=True):
    """What events cost; a cost is None where there are too few blocks for an interval."""

    blocks: int
    left_out: int  # blocks in which an arm or the account of a run is missing
    runs: int  # in all blocks and arms
    events_per_run: float
    cpu: Cost | None  # the server's processor time; None also where it does not tell
    emission: Cost | None  # the time a run spends in handing events over; its whole is the run's time
    execution: Cost | None  # how long a run takes, by the server's clock


def overhead(slices: Iterable[Slice]) -> Overhead | None:
    """What the slices tell; None where there are none."""
    blocks: dict[int, dict[str, Slice]] = {}
    for one in slices:
        blocks.setdefault(one.block, {})[one.arm] = one
    if not blocks:
        return None
    whole = [block for _, block in sorted(blocks.items()) if _is_whole(block)]
    seen = [block[arm] for block in whole for arm in WITH_RUNS]
    with_events = [one for one in seen if one.arm in (Arm.ON, Arm.ON2)]
    runs = sum(one.runs for one in with_events)
    told = all(one.cpu_ns is not None for block in whole for one in block.values())
    execution = _cost(whole, lambda one: one.typical_execution_ns, lambda one: one.execution_ns / one.runs)
    emission = _cost(whole, lambda one: one.typical_emission_ns, lambda one: one.emission_ns / one.runs)

    def cpu(one: Slice) -> float:
        # reading the processor time is no part of a run: that of the idle slice is taken off
        return ((one.cpu_ns or 0) - idle[one.block]) / one.runs

    idle = {block[Arm.IDLE].block: block[Arm.IDLE].cpu_ns or 0 for block in whole}
    return Overhead(
        blocks=len(whole),
        left_out=len(blocks) - len(whole),
        runs=sum(one.runs for one in seen),
        events_per_run=sum(one.events for one in with_events) / runs if runs else 0.0,
        cpu=_cost(whole, cpu, cpu) if told else None,
        emission=replace(emission, whole_ns=execution.whole_ns) if emission and execution else None,
        execution=execution,
    )


def doubts(of: Overhead | None) -> Iterator[Doubt]:
    """Why the overhead of a run that was to measure it is not to be trusted."""
    if of is None or of.emission is None:
        seen = of.blocks if of else 0
        advice = "the target must be under --measure, all users in one process, and the run long enough"
        yield Doubt("overhead", f"{seen} whole blocks", f"at least {least_blocks()}", advice, "verdict")
        return
    if of.cpu is None:
        advice = "its /metrics says nothing of it"
        yield Doubt("overhead", "the server's processor time is not known", "", advice, "")
    kinds = (("server CPU", of.cpu), ("run's own time", of.emission), ("run time", of.execution))
    for name, cost in kinds:
        if cost is not None and not cost.control.holds_zero:
            low, high = cost.control.low_ns / 1e3, cost.control.high_ns / 1e3
            value = f"A/A control of the {name}: {low:,.1f} to {high:,.1f} µs"
            advice = "this happens by chance in one of twenty: repeat the run"
            yield Doubt("overhead", value, "holds 0", advice, "")


def _is_whole(block: dict[str, Slice]) -> bool:
    """Whether it can be compared: all arms, and every run of theirs accounted for."""
    return all(arm in block and block[arm].whole for arm in Arm) and all(block[arm].runs for arm in WITH_RUNS)


def _cost(blocks: Sequence[dict[str, Slice]], typical: Each, mean: Each) -> Cost | None:
    if len(blocks) < least_blocks():
        return None

    def both(of: dict[str, Slice], each: Each) -> float:
        return (each(of[Arm.ON]) + each(of[Arm.ON2])) / 2

    def difference(one: Callable[[dict[str, Slice], Each], float], other: Arm) -> Effect:
        centred = effect(np.array([one(block, typical) - typical(block[other]) for block in blocks]))
        plain = [one(block, mean) - mean(block[other]) for block in blocks]
        return replace(centred, mean_ns=sum(plain) / len(plain))

    return Cost(
        whole_ns=effect(np.array([both(block, typical) for block in blocks])).value_ns,
        events=difference(both, Arm.OFF),
        encoding=difference(lambda block, each: each(block[Arm.ENCODE]), Arm.OFF),
        sending=difference(both, Arm.ENCODE),
        control=difference(lambda block, each: each(block[Arm.ON]), Arm.ON2),
    )


def effect(differences: Values) -> Effect:
    """The centre of at least `least_blocks()` differences, and its interval."""
    values = _together(differences)
    n = len(values)
    places = np.triu_indices(n)
    pairs = np.sort((values[places[0]] + values[places[1]]) / 2)
    rank = _rank(n)
    return Effect(
        value_ns=float(np.median(pairs)),
        low_ns=float(pairs[rank - 1]),
        high_ns=float(pairs[-rank]),
        mean_ns=float(np.mean(values)),
        blocks=len(differences),
    )


def _together(values: Values) -> Values:
    """Means of so many neighbours that no more than MOST_BLOCKS are left; a rest at the end is dropped."""
    size = math.ceil(len(values) / MOST_BLOCKS)
    kept: Values = values[: len(values) // size * size].reshape(-1, size).mean(axis=1)
    return kept


def least_blocks() -> int:
    """How many blocks it takes for an interval to exist."""
    n = 1
    while _rank(n) == 0:
        n += 1
    return n


@cache
def _rank(n: int) -> int:
    """Which of the sorted means of pairs, from either end, bounds the interval; 0: none does."""
    tail = (1 - CONFIDENCE) / 2
    if n > _EXACT:
        spread = math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        return math.floor(n * (n + 1) / 4 - NormalDist().inv_cdf(1 - tail) * spread)
    ways = [1]  # ways[w]: subsets of the ranks 1 … n whose sum is w
    for rank in range(1, n + 1):
        longer = ways + [0] * rank
        for total, count in enumerate(ways):
            longer[total + rank] += count
        ways = longer
    below = 0
    for total, count in enumerate(ways):
        below += count
        if below > tail * 2**n:
            return total
    raise AssertionError(n)
