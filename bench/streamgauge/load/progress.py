"""The progress line: how far a run is, while it lasts."""

import sys
import time
from collections.abc import Callable
from typing import Final, TextIO

from gevent import Greenlet, sleep, spawn

from streamgauge.load.bench import Snapshot

_TERMINAL_S: Final = 0.5
_LOG_S: Final = 5.0


def line(snapshot: Snapshot, events_per_s: float, left_s: float) -> str:
    """One line of progress."""
    left = f"{left_s:.0f} s left" if left_s > 0 else "draining"
    found = f"{snapshot.findings:,} finding{'' if snapshot.findings == 1 else 's'}"
    return (
        f"{snapshot.users:,} users  {events_per_s:,.0f} events/s  "
        f"{snapshot.events:,} events verified  {found}  {left}"
    )


class Progress:
    """Writes the line to standard error: rewritten on a terminal, a new one now and then in a log."""

    def __init__(self, snapshot: Callable[[], Snapshot], duration_s: float) -> None:
        self._snapshot = snapshot
        self._ends = time.monotonic() + duration_s
        self._out: TextIO = sys.stderr
        self._rewrites = self._out.isatty()
        self._greenlet: Greenlet[..., None] = spawn(self._run)

    def _run(self) -> None:
        pause = _TERMINAL_S if self._rewrites else _LOG_S
        events, at = 0, time.monotonic()
        while True:
            sleep(pause)
            snapshot, now = self._snapshot(), time.monotonic()
            text = line(snapshot, (snapshot.events - events) / (now - at), self._ends - now)
            events, at = snapshot.events, now
            self._out.write(f"\r\x1b[2K{text}" if self._rewrites else f"{text}\n")
            self._out.flush()

    def stop(self) -> None:
        """Clear the line."""
        self._greenlet.kill()
        if self._rewrites:
            self._out.write("\r\x1b[2K")
            self._out.flush()
