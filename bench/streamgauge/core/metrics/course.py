"""How the time to the first event went along with the run: one distribution for each window of it."""

from typing import Final

from msgspec import Struct

from streamgauge.core.histogram import Distribution, Histogram
from streamgauge.core.history import History
from streamgauge.core.observation import arrival_ns

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

    def settle(self, history: History) -> None:
        """Take the first event of a settled run, where it has one."""
        if not history.events:
            return
        due_ns = history.asked.due_ns
        window = max(0, due_ns - self._began_ns) // self._width_ns
        if window >= MOST_WINDOWS:
            window = self._widen(window)
        histogram = self._windows.get(window)
        if histogram is None:
            histogram = self._windows[window] = Histogram()
        histogram.add(max(0, arrival_ns(history.events[0]) - due_ns))

    def compact(self) -> None:
        """Count what was collected."""
        for histogram in self._windows.values():
            histogram.compact()

    def _widen(self, window: int) -> int:
        full = self.state()
        while window >= MOST_WINDOWS:
            window //= 2
            full = full.wider()
        self._full, self._width_ns, self._windows = full, full.width_ns, {}
        return window

    def state(self) -> CourseState:
        """Everything that was collected so far."""
        latest = {window: of.distribution() for window, of in sorted(self._windows.items())}
        return self._full.merge(CourseState(self._width_ns, latest))
