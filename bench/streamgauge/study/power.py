"""How rare a fault would still be caught: correct recordings, mutated and judged as `check` does.

A run's fate depends on the rows of its own connection alone, and states of several processes
merge into one. So each connection that a mutation has changed is judged anew, as if a process of
its own had recorded it, and merged with what is known of the unchanged recording.
"""

import math
from collections.abc import Collection, Sequence
from functools import reduce
from random import Random
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from streamgauge.core.assembly import Assembler
from streamgauge.core.checks.fold import Checks
from streamgauge.core.checks.state import CheckState
from streamgauge.core.checks.verdicts import conclude
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Outcome
from streamgauge.core.interval import share_interval
from streamgauge.core.observation import Observation, Opened
from streamgauge.core.ownership import Settlements
from streamgauge.core.recording import Header, Recording
from streamgauge.core.stretch import unfolded
from streamgauge.study.detection_load import Load
from streamgauge.study.mutation import Mutation, Original
from streamgauge.study.rejudge import rejudge

RECORDINGS: Final = 400  # mutated, for each point
SIZES: Final = {400_000: 1.0, 40_000: 0.1, 4_000: 0.01}  # events, roughly: shares of one recording
BASE: Final = Load(
    "steady",
    {
        "users": 2_000,  # many, with few events each: what is judged anew is a whole connection
        "spawn_rate": 500,
        "duration": 92,
        "arrivals": {"kind": "poisson", "interval": 4.4},
    },
)
ENOUGH: Final = 0.95  # share caught
_STRIKES: Final = (0.5, 1, 2, 4, 8)  # that the points of a size expect, roughly
_ROUND: Final = (1, 2, 5)

# What must find each mutation, and what else may fail of it: the rows of the faults of the same kind.
MUST: Final = {
    Mutation.LEAK: Rule.ISOLATION_CANARY,
    Mutation.LEAK_BY_RUN: Rule.ISOLATION_ENVELOPE,
    Mutation.LOSS: Rule.SEQ_CONTIGUOUS,
    Mutation.REPEAT: Rule.SEQ_CONTIGUOUS,
    Mutation.SWAP: Rule.SEQ_CONTIGUOUS,
    Mutation.CORRUPTION: Rule.PARTIAL_INTEGRITY,
}
_NUMBERS: Final = frozenset({Rule.SEQ_CONTIGUOUS, Rule.OFFSET_CONTIGUOUS})
_MAY: Final = {
    Mutation.LEAK: _NUMBERS,
    Mutation.LEAK_BY_RUN: _NUMBERS,
    Mutation.LOSS: _NUMBERS,
    Mutation.REPEAT: _NUMBERS,
    Mutation.SWAP: _NUMBERS,
    Mutation.CORRUPTION: frozenset[Rule](),
}


class Point(Struct, frozen=True, tag="power"):
    """One mutation at one rate, in recordings of one size.

    In `struck` of the `recordings` chance had it happen at all; in `caught` of them the rule
    that must failed, in `elsewhere` one that must not.
    """

    mutation: Mutation
    rate: float  # share of all events
    events: int
    recordings: int
    struck: int
    caught: int
    elsewhere: int = 0

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the share that is caught."""
        return share_interval(self.caught, self.recordings) or (0.0, 1.0)

    @property
    def outcome(self) -> Outcome:
        """Fail where a recording that was struck was not caught, or another rule failed."""
        return Outcome.FAIL if self.caught < self.struck or self.elsewhere else Outcome.PASS


class Judge:
    """Judges what becomes of one recording; raises `ValueError` where it is not correct as it stands."""

    def __init__(self, recording: Recording) -> None:
        self._header = recording.header
        self._end_ns = recording.end.at_ns if recording.end else recording.rows[-1].at_ns
        self._clean = rejudge(recording).checks
        if self._clean.found or self._clean.strays:
            raise ValueError(f"the recording of {self._header.worker} is not correct as it stands")
        self.original = Original(recording.rows)

    def failing(self, mutation: Mutation, strikes: int, rng: Random) -> tuple[frozenset[Rule], int]:
        """The rules that fail when so many events are struck, and how many were."""
        mutated = self.original.mutated(mutation, strikes, rng)
        states = [_state(rows, self._header, self._end_ns) for rows in mutated.rows.values()]
        # the largest last: each merge takes as long as the larger of the two is
        return failing(reduce(CheckState.merge, [*states, self._clean]), self._header), mutated.struck

    def point(self, mutation: Mutation, rate: float, recordings: int) -> Point:
        """Mutate the recording so many times, each event with the same chance `rate`."""
        struck = caught = elsewhere = 0
        for seed in range(recordings):
            rng = Random(f"{mutation} {rate:g} {seed}")  # noqa: S311 - it must be repeatable
            strikes = binomial(self.original.events, rate, rng)
            if not strikes:
                continue
            failed, done = self.failing(mutation, strikes, rng)
            struck += done > 0
            caught += MUST[mutation] in failed
            elsewhere += bool(failed - {MUST[mutation]} - _MAY[mutation])
        return Point(mutation, rate, self.original.events, recordings, struck, caught, elsewhere)


def part(recording: Recording, share: float) -> Recording:
    """The recording of so many of its connections, spread over all of it."""
    conns = sorted({row.conn for row in recording.rows if isinstance(row, Opened)})
    kept = frozenset(conns[:: round(1 / share)])
    return replace(recording, rows=[row for row in recording.rows if row.conn in kept])


def _state(rows: Sequence[Observation], header: Header, end_ns: int) -> CheckState:
    """What the checks know of one connection: the long way of `Analysis`, without its metrics."""
    settled = Settlements()
    assembler = Assembler(header.limits, settled)
    checks = Checks(header.limits, frozenset(map(Rule, header.promises)), settled)
    for row in unfolded(rows):
        for history in (*assembler.settle_due(row.at_ns), *assembler.add(row)):
            checks.settle(history)
        checks.add(row)
    for history in assembler.finish(end_ns):
        checks.settle(history)
    return checks.finish(assembler.strays)


def failing(state: CheckState, header: Header) -> frozenset[Rule]:
    """The rules that fail."""
    promises: Collection[Rule] = frozenset(map(Rule, header.promises))
    verdicts = conclude(state, map(Rule, header.required), promises)
    return frozenset(verdict.rule for verdict in verdicts if verdict.outcome is Outcome.FAIL)


def binomial(n: int, p: float, rng: Random) -> int:
    """How many of `n` happen that each have the chance `p`; by the gaps between them (Devroye, 1986)."""
    if p <= 0:
        return 0
    hits, at, rest = 0, -1, math.log1p(-p)
    while True:
        at += 1 + int(math.log(1 - rng.random()) / rest)
        if at >= n:
            return hits
        hits += 1


def rates(events: int) -> list[float]:
    """Round rates around the least that can be caught in so many events."""
    found = []
    for strikes in _STRIKES:
        power = math.floor(math.log10(strikes / events))
        steps = [float(f"{step}e{power}") for step in (*_ROUND, 10)]
        found.append(min(steps, key=lambda step: abs(math.log(step * events / strikes))))
    return sorted(set(found))


def least_caught(points: Sequence[Point]) -> float | None:
    """The smallest rate from which on at least `ENOUGH` of the recordings are caught; None where none is."""
    least = None
    for point in sorted(points, key=lambda point: -point.rate):
        if point.caught < ENOUGH * point.recordings:
            break
        least = point.rate
    return least
