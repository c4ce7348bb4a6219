"""The one fold over a run: assembly, checks and metrics together.

It is fed live in every worker and again from a recording; both give the same
state, and states of several workers merge into one.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final, Self, TypeVar

from msgspec import Struct

from streamgauge.core.assembly import Assembler
from streamgauge.core.checks.fold import Checks
from streamgauge.core.checks.state import CheckState
from streamgauge.core.contract import EVERY_RULE, Limits, Rule
from streamgauge.core.event import LAST_RUN_EVENT, Kind
from streamgauge.core.histogram import Distribution
from streamgauge.core.history import History
from streamgauge.core.metrics.course import Course, CourseState
from streamgauge.core.metrics.goodput import Goodput, GoodputState
from streamgauge.core.metrics.latency import Latencies
from streamgauge.core.metrics.other_clocks import UNMAPPED
from streamgauge.core.metrics.streams import CHUNK_GAP, Streams, StreamState
from streamgauge.core.metrics.tally import Tally
from streamgauge.core.observation import Observation, Received
from streamgauge.core.slices import Slice, Slices

Key = TypeVar("Key")

_COMPACTED: Final = 1024  # runs after which the metrics count what they have kept
_COMPLETED: Final = int(Kind.COMPLETED)  # the first of those that end a run
_LAST_RUN_EVENT: Final = int(LAST_RUN_EVENT)


class AnalysisState(Struct, frozen=True):
    """Everything that is known at the end of the rows; times are monotonic nanoseconds."""

    checks: CheckState
    latencies: dict[str, Distribution]
    counts: dict[str, int]
    seconds: dict[int, int]  # events read, by second
    began_ns: int
    ended_ns: int
    streams: StreamState = StreamState()
    goodput: GoodputState = GoodputState()
    slices: tuple[Slice, ...] = ()
    clock_bound_ns: int = 0  # how far off deliveries may be because of another machine's clock
    course: CourseState = CourseState()

    def merge(self, other: Self) -> "AnalysisState":
        """The state of both, as if one process had seen all rows."""
        return AnalysisState(
            checks=self.checks.merge(other.checks),
            latencies={name: d.merge(other.latencies[name]) for name, d in self.latencies.items()},
            counts=_summed(self.counts, other.counts),
            seconds=_summed(self.seconds, other.seconds),
            began_ns=min(self.began_ns, other.began_ns),
            ended_ns=max(self.ended_ns, other.ended_ns),
            streams=self.streams.merge(other.streams),
            goodput=self.goodput.merge(other.goodput),
            slices=(*self.slices, *other.slices),
            clock_bound_ns=max(self.clock_bound_ns, other.clock_bound_ns),
            course=self.course.merge(other.course),
        )


def _summed(one: dict[Key, int], two: dict[Key, int]) -> dict[Key, int]:
    total = Counter(one)
    total.update(two)  # unlike +, this keeps what was counted zero times
    return dict(total)


class Analysis:
    """Feeds every row to assembly, checks and metrics."""

    def __init__(
        self, limits: Limits, clock: str, began_ns: int, promises: Collection[Rule] = EVERY_RULE
    ) -> None:
        self._assembler = Assembler(limits)
        self._checks = Checks(limits, promises)
        self._latencies = Latencies(clock)
        self._tally = Tally()
        self._streams = Streams(limits.stall_ns)
        self._goodput = Goodput(limits.goodput)
        self._slices = Slices()
        self._course = Course(began_ns)
        self._began_ns = began_ns
        self._settled = 0

    def add(self, row: Observation) -> None:
        """Take the next row, in order of time."""
        self.read((row,))

    def read(self, rows: Sequence[Observation]) -> None:
        """Take the rows of one read, which are of one connection and one moment, in their order.

        Nearly all are plain events: of a run under way, and the very next of that run and of their
        session. These are taken together, past all that is asked only of what departs from it.
        """
        first = rows[0]
        if settled := self._assembler.settle_due(first.at_ns):
            self._settle(settled)
        connection = self._assembler.connection(first.conn)
        track = self._checks.track(first.conn)
        if connection is None or track is None:
            for row in rows:
                self._look_at(row)
            return
        runs, user = connection.runs, connection.user
        plain: list[Received] = []
        following = track.highest + 1
        for row in rows:
            history = None
            if type(row) is Received:
                event = row.event
                kind = event.kind
                history = runs.get(event.run)
                if (
                    history is not None
                    and history.plain
                    and event.offset == following
                    and event.seq == len(history.events) + 1
                    and event.user == user
                    and kind <= _LAST_RUN_EVENT
                    and not row.foreign
                    and not event.breach
                ):
                    track.highest = following
                    following += 1
                    history.events.append(row)
                    plain.append(row)
                    if kind >= _COMPLETED:
                        self._assembler.end(history, row.at_ns, event)
                    continue
            if history is not None and history.plain:
                track.runs[history.run] = len(history.events)
            self._look_at(row)
            following = track.highest + 1
        if plain:
            self._checks.count_plain(len(plain))
            self._latencies.read(plain)
            self._tally.read(plain)

    def _look_at(self, row: Observation) -> None:
        """Show a row to all that may ask something of it."""
        if settled := self._assembler.add(row):
            self._settle(settled)
        self._checks.add(row)
        self._latencies.add(row)
        self._tally.add(row)
        self._slices.add(row)

    def _settle(self, histories: list[History]) -> None:
        self._settled += len(histories)
        if self._settled >= _COMPACTED:
            self._settled = 0
            for metric in (self._latencies, self._streams, self._course):
                metric.compact()
        for history in histories:
            worth = self._checks.settle(history)
            self._goodput.settle(history, clean=worth.clean)
            self._latencies.settle(history)
            self._tally.settle(history, whole=worth.whole)
            self._streams.settle(history)
            self._course.settle(history)

    @property
    def findings(self) -> int:
        """How many findings there are so far."""
        return sum(self._checks.state.found.values())

    @property
    def events(self) -> int:
        """How many events of runs there are so far."""
        return self._tally.events

    def counts(self) -> dict[str, int]:
        """The counts so far."""
        return self._tally.counts() | self._checks.counts()

    @property
    def leaks(self) -> int:
        """How many findings there are so far of what reached the wrong user."""
        found = self._checks.state.found
        return found.get(Rule.ISOLATION_CANARY, 0) + found.get(Rule.ISOLATION_ENVELOPE, 0)

    @property
    def stalled(self) -> int:
        """How many streams have stalled so far."""
        return self._streams.stalled

    def finish(self, at_ns: int) -> AnalysisState:
        """Settle what is left, and give the state; nothing may be added after that."""
        self._settle(self._assembler.finish(at_ns))
        latencies = self._latencies.distributions() | {CHUNK_GAP: self._streams.gaps()}
        ahead = {"deliveries before their emission": self._latencies.ahead} if self._latencies.ahead else {}
        unmapped = {UNMAPPED: self._latencies.unmapped} if self._latencies.unmapped else {}
        return AnalysisState(
            checks=self._checks.finish(self._assembler.strays),
            latencies=latencies,
            counts=self._tally.counts() | self._checks.counts() | ahead | unmapped,
            seconds=self._tally.seconds(),
            began_ns=self._began_ns,
            ended_ns=at_ns,
            streams=self._streams.state(),
            goodput=self._goodput.state(),
            slices=self._slices.done(),
            clock_bound_ns=self._latencies.clock_bound_ns,
            course=self._course.state(),
        )
