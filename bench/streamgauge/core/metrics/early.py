"""Events that bear a stamp from before their run was asked for: their server's clock lies, or its map."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np

from streamgauge.core.clock_map import Mapping
from streamgauge.core.history import History
from streamgauge.core.observation import Received
from streamgauge.core.stretch import unfold

EARLY: Final = "events emitted before they were asked for"  # the count's name


class Early:
    """Counts them in `events`.

    `clock` is the recording machine's own; `mapped` tells what is known of another clock by
    some time. What that clock's bound explains is not early.
    """

    def __init__(self, clock: str, mapped: Callable[[str, int], Mapping | None]) -> None:
        self._clock = clock
        self._mapped = mapped
        self.events = 0

    def settle(self, histories: Iterable[History]) -> None:
        """Take settled runs; one that was asked for twice may stem from the first time, and says nothing."""
        emitted = bytearray()
        asked_ns: list[int] = []
        events: list[int] = []
        for history in histories:
            if history.again:
                continue
            for stretch in history.stretches:
                if stretch.clock == self._clock:
                    emitted += stretch.emitted
                    asked_ns.append(history.asked.at_ns)
                    events.append(len(stretch.forms))
                else:
                    self._look_at(history, unfold(stretch))
            self._look_at(history, history.events)
        if events:
            stamps = np.frombuffer(emitted, np.int64)
            early = (stamps > 0) & (stamps < np.repeat(asked_ns, events))
            self.events += int(np.count_nonzero(early))

    def _look_at(self, history: History, rows: Sequence[Received]) -> None:
        for row in rows:
            event = row.event
            if not event.emitted_ns:
                continue
            known = Mapping(0, 0) if event.clock == self._clock else self._mapped(event.clock, row.at_ns)
            if known and event.emitted_ns - known.offset_ns + known.bound_ns < history.asked.at_ns:
                self.events += 1
