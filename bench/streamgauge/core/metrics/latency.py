"""How long things took, as histograms of nanoseconds, one a metric.

Everything that a user waits for counts from when the request was due, not from
when it was sent: what the generator was late is part of the wait, and stands
apart as `schedule slip`.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from streamgauge.core.checks.timing import longest_silence
from streamgauge.core.event import LAST_RUN_EVENT, Kind
from streamgauge.core.histogram import Distribution, Histogram
from streamgauge.core.history import History
from streamgauge.core.metrics.other_clocks import OtherClocks
from streamgauge.core.observation import Asked, Clocked, Observation, Opened, Received, arrival_ns


class Metric(StrEnum):
    """The names of the durations."""

    CONNECT = "connect"
    ACCEPTED = "request to accepted"
    FIRST_EVENT = "request to first event"
    FIRST_THOUGHT = "request to first thought"
    FIRST_CHUNK = "request to first answer chunk"
    DELIVERY = "delivery latency"
    DELIVERY_BOUND = "delivery latency, upper bounds"
    LAG = "generator lag"
    SLIP = "schedule slip"
    SILENCE = "longest silence"
    RUN = "run time"


class Latencies:
    """Collects every duration of `Metric`.

    Delivery latency is taken from the kernel's stamp, exact ones apart from upper
    bounds, where the event's clock is `clock`, the recording machine's own, or is
    mapped to it by then.
    """

    def __init__(self, clock: str) -> None:
        self._clock = clock
        self._others = OtherClocks()
        self._histograms = {metric: Histogram() for metric in Metric}
        self._delivery = self._histograms[Metric.DELIVERY]
        self._bound = self._histograms[Metric.DELIVERY_BOUND]
        self._lag = self._histograms[Metric.LAG]

    def add(self, row: Observation) -> None:
        """Take the durations that a single row tells."""
        match row:
            case Received():
                if row.exact:
                    self._lag.add(row.at_ns - row.kernel_ns)
                event = row.event
                if event.emitted_ns and event.kind <= LAST_RUN_EVENT:
                    took_ns = (
                        arrival_ns(row) - event.emitted_ns
                        if event.clock == self._clock
                        else self._others.took_ns(row)
                    )
                    if took_ns is not None:
                        (self._delivery if row.exact else self._bound).add(took_ns)
            case Clocked():
                self._others.add(row)
            case Asked():
                self._histograms[Metric.SLIP].add(max(0, row.at_ns - row.due_ns))
            case Opened():
                self._histograms[Metric.CONNECT].add(row.at_ns - row.began_ns)

    def read(self, rows: Sequence[Received]) -> None:
        """Take the durations that the rows of one read tell, all of them events of runs."""
        last, clock = rows[-1], self._clock
        arrived_ns = last.kernel_ns or last.at_ns
        took_ns = [
            arrived_ns - event.emitted_ns
            for event in [row.event for row in rows]
            if event.clock == clock and event.emitted_ns
        ]
        if len(took_ns) < len(rows):  # another clock's, or without a stamp
            for row in rows:
                self.add(row)
            return
        if last.exact:
            self._lag.add(last.at_ns - last.kernel_ns)
            self._delivery.add(took_ns.pop())
        self._bound.extend(took_ns)

    def settle(self, history: History) -> None:
        """Take the durations that a whole run tells."""
        events, due = history.events, history.asked.due_ns
        awaited = [
            (Metric.ACCEPTED, history.accepted),
            (Metric.FIRST_EVENT, events[0] if events else None),
            (Metric.FIRST_THOUGHT, first(events, Kind.THINKING)),
            (Metric.FIRST_CHUNK, first(events, Kind.PARTIAL)),
            (Metric.RUN, _completion(history)),
        ]
        for metric, received in awaited:
            if received is not None:
                self._histograms[metric].add(max(0, (received.kernel_ns or received.at_ns) - due))
        silence, place = longest_silence(history.asked.at_ns, events)
        if place >= 0:
            self._histograms[Metric.SILENCE].add(max(0, silence))

    def compact(self) -> None:
        """Count what was collected."""
        for histogram in self._histograms.values():
            histogram.compact()

    @property
    def clock_bound_ns(self) -> int:
        """How far off a delivery may be because another machine's clock is only known so well."""
        return self._others.widest_ns

    @property
    def unmapped(self) -> int:
        """How many events bear stamps of a clock that was not mapped to ours by then."""
        return self._others.unmapped

    @property
    def ahead(self) -> int:
        """How many events arrived before they were emitted, as their stamps have it."""
        return self._delivery.negative + self._bound.negative

    def distributions(self) -> dict[str, Distribution]:
        """What was collected, by metric."""
        return {metric: histogram.distribution() for metric, histogram in self._histograms.items()}


def _completion(history: History) -> Received | None:
    """The first completion; mostly it is the last thing that came."""
    events = history.events
    if events and events[-1].event is history.ending and history.ending.kind == Kind.COMPLETED:
        return events[-1]
    return first(events, Kind.COMPLETED)


def first(events: Iterable[Received], kind: Kind) -> Received | None:
    """The first of these events that is of `kind`."""
    wanted = int(kind)  # to compare an enum costs more than the look-up
    for received in events:
        if received.event.kind == wanted:
            return received
    return None
