"""How the time to the first event went along with the run: one distribution for each window of it."""

from typing import Final

import numpy as np
from msgspec import Struct

from streamgauge.core.alike import Alike
from streamgauge.core.histogram import Distribution, Histogram

MOST_WINDOWS: Final = 128  # a run that lasts longer has wider ones
_WINDOW_NS: Final = 250_000_000


class CourseState(Struct, frozen=True):
    """Times from due to first event in ns, by the window in which the request was due.

    Window n lasts from n to n + 1 times `width_ns` after the beginning of the process's
    part of the run.
    """

    width_ns: int = _WINDOW_NS
    windows: dict[int, Distribution] = {}

    def wider(self) -> "CourseState":
        """The same in windows of twice the width."""
        windows: dict[int, Distribution] = {}
        for window, of in self.windows.items():
            windows[window // 2] = windows.get(window // 2, Distribution()).merge(of)
        return CourseState(2 * self.width_ns, windows)

    def merge(self, other: "CourseState") -> "CourseState":
        """Both as one, in the wider of their windows."""
        one = self
        while one.width_ns < other.width_ns:
            one = one.wider()
        two = other
        while two.width_ns < one.width_ns:
            two = two.wider()
        numbers = sorted(one.windows.keys() | two.windows.keys())
        none = Distribution()
        merged = {n: one.windows.get(n, none).merge(two.windows.get(n, none)) for n in numbers}
        return CourseState(one.width_ns, merged)


class Course:
    """Collects the first events of settled runs; the run began at `began_ns`."""

    def __init__(self, began_ns: int) -> None:
        self._began_ns = began_ns
        self._full = CourseState()  # what was collected in narrower windows
        self._width_ns = _WINDOW_NS
        self._windows: dict[int, Histogram] = {}

    def settle(self, runs: Alike) -> None:
        """Take the first events of settled runs that are alike, where they have one."""
        if not runs.of.kinds:
            return
        due_ns = runs.due_ns
        took_ns = np.maximum(runs.arrivals_ns[:, 0] - due_ns, 0)
        since_ns = np.maximum(due_ns - self._began_ns, 0)
        latest = int(since_ns.max()) // self._width_ns
        if latest >= MOST_WINDOWS:
            self._widen(latest)
        windows = since_ns // self._width_ns
        for window in np.unique(windows).tolist():
            self._windows.setdefault(window, Histogram()).extend(took_ns[windows == window])

    def _widen(self, window: int) -> None:
        full = self.state()
        while window >= MOST_WINDOWS:
            window //= 2
            full = full.wider()
        self._full, self._width_ns, self._windows = full, full.width_ns, {}

    def state(self) -> CourseState:
        """Everything that was collected so far."""
        latest = {window: of.distribution() for window, of in sorted(self._windows.items())}
        return self._full.merge(CourseState(self._width_ns, latest))
