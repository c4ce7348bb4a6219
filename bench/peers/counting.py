"""What one launch of a generator came to, counted from outside; pure."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from msgspec import Struct

EVENTS_OF_A_RUN: Final = 10


class Said(Struct, frozen=True):
    """What a generator reports of its own runs; `lag_ms`: its median delay in reading, if told apart."""

    p50_ms: float | None
    p99_ms: float | None
    lag_ms: float | None = None


class Count(Struct, frozen=True):
    """Running totals at one moment."""

    at_ns: int
    events: int
    generator_cpu_ns: int
    source_cpu_s: float


class Memory(Struct, frozen=True):
    """Resident bytes of a generator's processes."""

    one_socket: int  # idle
    open: int  # all sockets, idle
    busy: int  # all sockets, at the end of the window


class Sample(Struct, frozen=True):
    """One launch: what lies between two counts, and what the generator says itself."""

    sockets: int
    seconds: float
    events: int
    generator_cpu_s: float
    source_cpu_s: float
    memory: Memory
    said: Said

    @property
    def events_per_s(self) -> float:
        """What came through."""
        return self.events / self.seconds

    @property
    def events_per_cpu_s(self) -> float:
        """What it costs: the figure that other load on the machine disturbs least."""
        return self.events / self.generator_cpu_s

    @property
    def cycle_ms(self) -> float:
        """The true mean time of a run in a closed loop without thinking: N = X · R (Little)."""
        return self.sockets / (self.events_per_s / EVENTS_OF_A_RUN) * 1e3

    @property
    def generator_busy(self) -> float:
        """The share of one core that it used."""
        return self.generator_cpu_s / self.seconds

    @property
    def source_busy(self) -> float:
        """The same of the source; near 1, the source was the limit and not the generator."""
        return self.source_cpu_s / self.seconds


def between(first: Count, last: Count, sockets: int, memory: Memory, said: Said) -> Sample:
    """What happened in a window."""
    return Sample(
        sockets,
        (last.at_ns - first.at_ns) / 1e9,
        last.events - first.events,
        (last.generator_cpu_ns - first.generator_cpu_ns) / 1e9,
        last.source_cpu_s - first.source_cpu_s,
        memory,
        said,
    )


def kilobytes_per_socket(bytes_of_all: int, bytes_of_one: int, sockets: int) -> float:
    """What one more socket takes."""
    return (bytes_of_all - bytes_of_one) / (sockets - 1) / 1e3


def family(parents: Mapping[int, int], root: int) -> set[int]:
    """A process and all that descend from it; `parents` says of each its parent."""
    members = {root}
    while more := {pid for pid, parent in parents.items() if parent in members} - members:
        members |= more
    return members


def parent_of(stat: str) -> int:
    """The parent in a `/proc/PID/stat`, whose second field, the name, may hold anything."""
    return int(stat.rpartition(")")[2].split()[1])


def on_cpu_ns(schedstats: Iterable[str]) -> int:
    """What threads spent on a CPU, by their `/proc/PID/task/TID/schedstat`."""
    return sum(int(schedstat.split()[0]) for schedstat in schedstats)


def resident_pages(statm: str) -> int:
    """Of a `/proc/PID/statm`."""
    return int(statm.split()[1])


def totals(exposition: str) -> dict[str, float]:
    """The values of a text in the Prometheus format whose metrics have no labels."""
    lines = (line.split() for line in exposition.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def said_in(output: str) -> Said | None:
    """The line that a peer prints at its end, among whatever its tool prints too."""
    for line in reversed(output.splitlines()):
        if line.startswith('{"peer":'):
            return msgspec.json.decode(line, type=Said)
    return None
