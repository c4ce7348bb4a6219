"""How one generator process was while it measured, and how Linux tells it.

Vitals of several processes are kept side by side: every limit is one process's own, and a
process that starved would hide behind one that idled.
"""

from math import sqrt
from typing import Final, NamedTuple

from msgspec import Struct

from streamgauge.core.histogram import Distribution

_BUSIEST: Final = 0.9
_LEAST_SECONDS: Final = 3  # fewer say nothing of a tenth of them
_CPU_FIELDS: Final = 8  # user nice system idle iowait irq softirq steal; what follows is in user and nice


class Sampled(Struct, frozen=True):
    """What was counted at random moments: how often, the sum, and the sum of squares."""

    n: int = 0
    total: int = 0
    squares: int = 0

    @property
    def mean(self) -> float:
        """The mean; 0 of nothing."""
        return self.total / self.n if self.n else 0.0

    @property
    def error(self) -> float:
        """The standard error of the mean; 0 where there are fewer than two."""
        if self.n < 2:
            return 0.0
        return sqrt(max(0.0, self.squares / self.n - self.mean**2) / (self.n - 1))


class Vitals(Struct, frozen=True):
    """One process's own account of itself; times are nanoseconds, None is unknown.

    `cpu` holds the processor time of all its threads in a second, one value about every
    second between the ramp and the end of the load. `waited_ns` is how long its main
    thread, in which the event loop runs, was ready and had no processor.
    """

    lasted_ns: int = 0
    cpu: Distribution = Distribution()
    waited_ns: int | None = None
    stolen: float | None = None  # share of the machine's processor time
    loop_lag: Distribution = Distribution()  # of a probe that is due every few milliseconds
    gc_pauses: Distribution = Distribution()
    collections: tuple[int, ...] = ()  # garbage collections, by generation
    under_way: Sampled = Sampled()  # runs
    memory: tuple[tuple[int, int], ...] = ()  # ns since it began, and resident bytes

    @property
    def cpu_share(self) -> float | None:
        """How much of one core the process took in its busiest tenth of seconds."""
        return self.cpu.quantile(_BUSIEST) / 1e9 if self.cpu.n >= _LEAST_SECONDS else None

    @property
    def waited(self) -> float | None:
        """The share of the time in which the event loop waited for a processor."""
        return None if self.waited_ns is None or not self.lasted_ns else self.waited_ns / self.lasted_ns


class Process(NamedTuple):
    """One generator process as doubts see it: its name, its vitals, and its times to the first event."""

    name: str
    vitals: Vitals | None
    first_event: Distribution = Distribution()


class Ticks(NamedTuple):
    """What the machine's processors did since it booted, in ticks."""

    stolen: int
    all: int

    def share_since(self, earlier: "Ticks") -> float | None:
        """The share that was stolen since `earlier`; None where no tick has passed."""
        passed = self.all - earlier.all
        return max(0, self.stolen - earlier.stolen) / passed if passed > 0 else None


def run_queue_wait_ns(schedstat: str) -> int | None:
    """The second figure of /proc/PID/schedstat; None where the kernel keeps none and says 0 to everything.

    Source: Documentation/scheduler/sched-stats.rst of Linux.
    """
    figures = schedstat.split()
    if len(figures) < 2 or not all(map(str.isdecimal, figures)) or not int(figures[0]):
        return None
    return int(figures[1])


def resident_pages(statm: str) -> int | None:
    """The second figure of /proc/PID/statm; None where there is none.

    Source: proc_pid_statm(5).
    """
    figures = statm.split()
    return int(figures[1]) if len(figures) > 1 and figures[1].isdecimal() else None


def machine_ticks(stat: str) -> Ticks | None:
    """The first line of /proc/stat; None where it is none, or is from before Linux told of steal.

    Source: proc_stat(5).
    """
    name, *figures = stat.partition("\n")[0].split() or [""]
    if name != "cpu" or len(figures) < _CPU_FIELDS or not all(map(str.isdecimal, figures)):
        return None
    ticks = [int(figure) for figure in figures[:_CPU_FIELDS]]
    return Ticks(ticks[-1], sum(ticks))
