"""How long things took, as histograms of nanoseconds, one a metric.

Everything that a user waits for counts from when the request was due, not from
when it was sent: what the generator was late is part of the wait, and stands
apart as `schedule slip`.
"""

from enum import StrEnum
from typing import Final

import numpy as np

from streamgauge.core.alike import Alike
from streamgauge.core.event import LAST_RUN_EVENT, Kind
from streamgauge.core.histogram import Distribution, Histogram
from streamgauge.core.metrics.other_clocks import OtherClocks
from streamgauge.core.observation import Asked, Clocked, Observation, Opened, Received, Stretch, arrival_ns
from streamgauge.core.stretch import unfold

_BATCH_BYTES: Final = 65536  # of stamps that wait to be counted


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
        self.mapping = self._others.mapping
        self._histograms = {metric: Histogram() for metric in Metric}
        self._delivery = self._histograms[Metric.DELIVERY]
        self._bound = self._histograms[Metric.DELIVERY_BOUND]
        self._lag = self._histograms[Metric.LAG]
        self._slip = self._histograms[Metric.SLIP]
        self._accepted = self._histograms[Metric.ACCEPTED]
        self._first_event = self._histograms[Metric.FIRST_EVENT]
        self._silence = self._histograms[Metric.SILENCE]
        self._firsts = [
            (kind, self._histograms[metric])
            for kind, metric in (
                (Kind.THINKING, Metric.FIRST_THOUGHT),
                (Kind.PARTIAL, Metric.FIRST_CHUNK),
                (Kind.COMPLETED, Metric.RUN),
            )
        ]
        # stretches whose deliveries are yet to be counted, a column each
        self._emitted = bytearray()
        self._arrived_ns: list[int] = []
        self._events: list[int] = []
        self._exact: list[bool] = []

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
                self.ask(row)
            case Opened():
                self._histograms[Metric.CONNECT].add(row.at_ns - row.began_ns)

    def ask(self, row: Asked) -> None:
        """Take how late a request was."""
        self._slip.add(max(0, row.at_ns - row.due_ns))

    def read(self, stretch: Stretch) -> None:
        """Take the durations that a stretch tells."""
        if stretch.clock != self._clock:
            for row in unfold(stretch):
                self.add(row)
            return
        self._emitted += stretch.emitted
        self._arrived_ns.append(stretch.kernel_ns or stretch.at_ns)
        self._events.append(len(stretch.forms))
        self._exact.append(stretch.exact)
        if stretch.exact:
            self._lag.add(stretch.at_ns - stretch.kernel_ns)
        if len(self._emitted) >= _BATCH_BYTES:
            self._count_stretches()

    def _count_stretches(self) -> None:
        """Take the deliveries of the stretches that wait, all at once."""
        if not self._events:
            return
        ends = np.cumsum(self._events)
        took_ns = np.repeat(self._arrived_ns, self._events) - np.frombuffer(self._emitted, np.int64)
        exact = np.zeros(len(took_ns), bool)
        exact[ends[np.array(self._exact)] - 1] = True  # the last of each that is exact
        self._delivery.extend(took_ns[exact])
        self._bound.extend(took_ns[~exact])
        for waiting in (self._arrived_ns, self._events, self._exact):
            waiting.clear()
        self._emitted = bytearray()

    def settle(self, runs: Alike) -> None:
        """Take the durations that whole runs tell."""
        for histogram in (self._lag, self._slip, self._delivery, self._bound):  # of single rows
            histogram.compact()
        due_ns = runs.due_ns
        if runs.of.accepted:
            self._accepted.extend(np.maximum(runs.accepted_ns - due_ns, 0))
        if not runs.of.kinds:
            return
        self._first_event.extend(np.maximum(runs.arrivals_ns[:, 0] - due_ns, 0))
        for kind, histogram in self._firsts:
            first_ns = runs.first_ns(kind)
            if first_ns is not None:
                histogram.extend(np.maximum(first_ns - due_ns, 0))
        silences = np.diff(runs.arrivals_ns, prepend=runs.asked_ns[:, None])
        self._silence.extend(np.maximum(silences.max(axis=1), 0))

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
        self._count_stretches()
        return self._delivery.negative + self._bound.negative

    @property
    def least_ahead_ns(self) -> int:
        """By how much an event was emitted after it had arrived, where that is least; 0 where none was."""
        self._count_stretches()
        nearest = [-of.nearest for of in (self._delivery, self._bound) if of.nearest]
        return min(nearest, default=0)

    def distributions(self) -> dict[str, Distribution]:
        """What was collected, by metric."""
        self._count_stretches()
        return {metric: histogram.distribution() for metric, histogram in self._histograms.items()}
