"""The one fold over a run: assembly, checks and metrics together.

It is fed live in every worker and again from a recording; both give the same
state, and states of several workers merge into one.
"""

from collections import Counter
from collections.abc import Collection
from typing import Final, Self, TypeVar

from msgspec import Struct

from streamgauge.core.alike import Alike, Likeness, arrivals_ns, likeness
from streamgauge.core.assembly import Assembler
from streamgauge.core.checks.fold import Checks
from streamgauge.core.checks.state import CheckState
from streamgauge.core.contract import EVERY_RULE, Limits, Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.histogram import Distribution
from streamgauge.core.history import History
from streamgauge.core.metrics.course import Course, CourseState
from streamgauge.core.metrics.early import EARLY, Early
from streamgauge.core.metrics.goodput import Goodput, GoodputState
from streamgauge.core.metrics.latency import Latencies
from streamgauge.core.metrics.other_clocks import UNMAPPED
from streamgauge.core.metrics.streams import CHUNK_GAP, Streams, StreamState
from streamgauge.core.metrics.tally import Tally
from streamgauge.core.observation import Asked, Observation, Received, Stretch
from streamgauge.core.ownership import Settlements
from streamgauge.core.slices import Slice, Slices
from streamgauge.core.stretch import unfold

Key = TypeVar("Key")

_SETTLES_EVERY_NS: Final = 50_000_000
_ACCEPTED: Final = int(Kind.ACCEPTED)
_COMPLETED: Final = int(Kind.COMPLETED)  # as a form, too
_ENDING: Final = Event(_COMPLETED)  # all that is asked of the end of a plain run


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
    least_ahead_ns: int = 0  # by which an event arrived before it was emitted, by its stamp; 0: none did

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
            least_ahead_ns=min(filter(None, (self.least_ahead_ns, other.least_ahead_ns)), default=0),
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
        settled = Settlements()
        self._assembler = Assembler(limits, settled)
        self._checks = Checks(limits, promises, settled)
        self._latencies = Latencies(clock)
        self._early = Early(clock, self._latencies.mapping)
        self._tally = Tally()
        self._streams = Streams(limits.stall_ns)
        self._goodput = Goodput(limits.goodput)
        self._slices = Slices()
        self._course = Course(began_ns)
        self._began_ns = began_ns
        self._settles_ns = began_ns

    def add(self, row: Observation) -> None:
        """Take the next row, in order of time.

        Nearly all rows are as they should be: each kind of these has a short way, past all that is
        asked only of what departs from it. Runs that are due wait a little, to be settled together;
        whatever could tell a run that waits from one that is settled goes the long way.
        """
        if row.at_ns >= self._settles_ns:
            self._settle_due(row.at_ns)
        if type(row) is Stretch:
            if not self._take_stretch(row):
                for received in unfold(row):
                    self._look_at(received)
        elif type(row) is Asked:
            self._take_request(row)
        elif type(row) is not Received or row.event.kind != _ACCEPTED or not self._take_acceptance(row):
            self._look_at(row)

    def _take_stretch(self, stretch: Stretch) -> bool:
        """Take a stretch that goes on where its run and its session stand, of their own user; else False."""
        connection = self._assembler.connection(stretch.conn)
        track = self._checks.track(stretch.conn)
        if connection is None or track is None:
            return False
        begins = stretch.accepted > 0
        history = connection.requests.get(stretch.request) if begins else connection.runs.get(stretch.run)
        if (
            history is None
            or (begins and stretch.run in connection.runs)
            or not history.plain
            or history.ended_ns
            or history.events
            or stretch.at_ns >= history.asked.deadline_ns
            or stretch.user != connection.user
            or stretch.offset != track.highest + 1
            or stretch.seq != history.count + 1
        ):
            return False
        if begins:
            self._assembler.accept(connection, history, stretch)
            self._checks.count_acceptance()
        events = len(stretch.forms)
        track.highest += events
        history.stretches.append(stretch)
        if stretch.forms[-1] == _COMPLETED:
            self._assembler.end(history, stretch.at_ns, _ENDING)
        self._checks.count_plain(events)
        self._latencies.read(stretch)
        self._tally.read(stretch)
        return True

    def _take_request(self, asked: Asked) -> None:
        connection = self._assembler.connection(asked.conn)
        if connection is not None and asked.request in connection.requests:
            self._settle_due(asked.at_ns)  # is it asked again, or anew?
        self._assembler.ask(asked)
        self._latencies.ask(asked)
        self._tally.ask()

    def _take_acceptance(self, row: Received) -> bool:
        """Take the acceptance of a request that waits for it, else False."""
        event = row.event
        connection = self._assembler.connection(row.conn)
        if connection is None or self._checks.track(row.conn) is None:
            return False
        history = connection.requests.get(event.request)
        if (
            history is None
            or row.at_ns >= history.asked.deadline_ns
            or event.run in connection.runs
            or event.user
            or event.offset
            or row.foreign
            or event.breach
        ):
            return False
        self._assembler.accept(connection, history, row)
        self._checks.count_acceptance()
        self._latencies.add(row)
        self._tally.add(row)
        return True

    def _look_at(self, row: Observation) -> None:
        """Show a row to all that may ask something of it."""
        self._settle_due(row.at_ns)
        if type(row) is Received:
            self._part_from_stretches(row)
        self._settle(self._assembler.add(row))
        self._checks.add(row)
        self._latencies.add(row)
        self._tally.add(row)
        self._slices.add(row)

    def _part_from_stretches(self, row: Received) -> None:
        """Where the run was plain so far, have the checks know how far it is."""
        connection, track = self._assembler.connection(row.conn), self._checks.track(row.conn)
        if connection is None or track is None:
            return
        history = connection.runs.get(row.event.run)
        if history is not None and history.stretches:
            track.runs[history.run] = max(history.count, track.runs.get(history.run, 0))

    def _settle_due(self, now_ns: int) -> None:
        self._settles_ns = now_ns + _SETTLES_EVERY_NS
        self._settle(self._assembler.settle_due(now_ns))

    def _settle(self, histories: list[History]) -> None:
        if not histories:
            return
        self._early.settle(histories)
        batches: dict[Likeness, Alike] = {}
        for history in histories:
            like = likeness(history, self._checks.settle(history))
            batch = batches.get(like)
            if batch is None:
                batch = batches[like] = Alike(like)
            batch.add(history, arrivals_ns(history))
        for batch in batches.values():
            self._goodput.settle(batch)
            self._latencies.settle(batch)
            self._tally.settle(batch)
            self._streams.settle(batch)
            self._course.settle(batch)

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
        """How many messages are known so far to have reached the wrong user."""
        return self._checks.state.leaks.messages

    @property
    def stalled(self) -> int:
        """How many streams have stalled so far."""
        return self._streams.stalled

    def finish(self, at_ns: int) -> AnalysisState:
        """Settle what is left, and give the state; nothing may be added after that."""
        self._settle_due(at_ns)
        self._settle(self._assembler.finish(at_ns))
        latencies = self._latencies.distributions() | {CHUNK_GAP: self._streams.gaps()}
        ahead = {"deliveries before their emission": self._latencies.ahead} if self._latencies.ahead else {}
        early = {EARLY: self._early.events} if self._early.events else {}
        unmapped = {UNMAPPED: self._latencies.unmapped} if self._latencies.unmapped else {}
        return AnalysisState(
            checks=self._checks.finish(self._assembler.strays),
            latencies=latencies,
            counts=self._tally.counts() | self._checks.counts() | ahead | early | unmapped,
            seconds=self._tally.seconds(),
            began_ns=self._began_ns,
            ended_ns=at_ns,
            streams=self._streams.state(),
            goodput=self._goodput.state(),
            slices=self._slices.done(),
            clock_bound_ns=self._latencies.clock_bound_ns,
            course=self._course.state(),
            least_ahead_ns=self._latencies.least_ahead_ns,
        )
