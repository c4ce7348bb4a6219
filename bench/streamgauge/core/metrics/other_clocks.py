"""Delivery latency of events that bear another machine's stamps."""

from typing import Final

from streamgauge.core.clock_map import ClockMap, Mapping
from streamgauge.core.observation import Clocked, Received, arrival_ns

UNMAPPED: Final = "events of a clock not mapped"  # the count's name


class OtherClocks:
    """Maps stamps of other clocks to ours as far as these are known by then.

    `widest_ns` is the widest bound of all that was mapped, `unmapped` counts what was not.
    """

    def __init__(self) -> None:
        self._map = ClockMap()
        self.widest_ns = 0
        self.unmapped = 0

    def add(self, row: Clocked) -> None:
        """Take what a ping told."""
        self._map.add(row.clock, row.offset_ns, row.bound_ns, row.at_ns)

    def mapping(self, clock: str, at_ns: int) -> Mapping | None:
        """What is known of a clock at `at_ns`."""
        return self._map.at(clock, at_ns)

    def took_ns(self, row: Received) -> int | None:
        """How long an event was on its way, in ns; None where its clock is not mapped by now.

        What the bound explains is no arrival before the emission: that took nothing.
        """
        mapping = self._map.at(row.event.clock, row.at_ns)
        if mapping is None:
            self.unmapped += 1
            return None
        self.widest_ns = max(self.widest_ns, mapping.bound_ns)
        took_ns = arrival_ns(row) - (row.event.emitted_ns - mapping.offset_ns)
        return 0 if -mapping.bound_ns <= took_ns < 0 else took_ns
