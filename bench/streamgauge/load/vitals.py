"""Takes the vitals of this process while it measures: cheap enough to be on in every run."""

import gc
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import gevent

from streamgauge.core.histogram import Histogram
from streamgauge.core.memory import Thinned
from streamgauge.core.vitals import (
    Sampled,
    Ticks,
    Vitals,
    machine_ticks,
    resident_pages,
    run_queue_wait_ns,
)

_PROBE_S: Final = 0.02  # between two looks at how late the loop is
_MOST_PROBES: Final = 10_000  # that one long stop stands for
_SAMPLE_S: Final = 0.5  # the mean time between two samples
_WEIGH_S: Final = 0.5  # between two looks at its memory
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_SECOND_NS: Final = 1_000_000_000


class VitalSigns:
    """Watches this process until `finish`, from gevent's own loop and by Python's collector.

    `under_way` counts the runs under way; processor time counts from `load_ns[0]` to
    `load_ns[1]`, both of the monotonic clock.
    """

    def __init__(self, under_way: Callable[[], int], load_ns: tuple[int, int], source: random.Random) -> None:
        self._under_way = under_way
        self._load_ns = load_ns
        self._source = source
        self._lag, self._cpu, self._pauses = Histogram(), Histogram(), Histogram()
        self._collections: Counter[int] = Counter()
        self._collecting_ns = 0
        self._sampled = Sampled()
        self._memory = Thinned()
        self._began_ns = time.monotonic_ns()
        self._waited_ns = _waited_ns()
        self._ticks = _ticks()
        gc.callbacks.append(self._collects)
        self._greenlets = [
            gevent.spawn(watch) for watch in (self._probe, self._spend, self._sample, self._weigh)
        ]

    def _probe(self) -> None:
        """Record how much later than asked the loop wakes this greenlet.

        Probes that were due while the loop stood still would have come late too: they
        are counted as such (as HdrHistogram corrects for a constant interval).
        """
        interval_ns = int(_PROBE_S * _SECOND_NS)
        while True:
            before_ns = time.monotonic_ns()
            gevent.sleep(_PROBE_S)
            late_ns = max(0, time.monotonic_ns() - before_ns - interval_ns)
            for _ in range(min(late_ns // interval_ns, _MOST_PROBES) + 1):
                self._lag.add(late_ns)
                late_ns -= interval_ns

    def _spend(self) -> None:
        """Take the processor time of every second, of all threads."""
        since_ns, cpu_ns = time.monotonic_ns(), time.process_time_ns()
        while True:
            gevent.sleep(1)
            now_ns, spent_ns = time.monotonic_ns(), time.process_time_ns() - cpu_ns
            if self._load_ns[0] <= since_ns and now_ns <= self._load_ns[1]:
                self._cpu.add(spent_ns * _SECOND_NS // (now_ns - since_ns))
            since_ns, cpu_ns = now_ns, cpu_ns + spent_ns

    def _sample(self) -> None:
        """Count the runs under way at random moments."""
        while True:
            gevent.sleep(self._source.expovariate(1 / _SAMPLE_S))
            n = self._under_way()
            sampled = self._sampled
            self._sampled = Sampled(sampled.n + 1, sampled.total + n, sampled.squares + n * n)

    def _weigh(self) -> None:
        """Look at the resident memory, however long that goes on: what is kept of it is bounded."""
        while True:
            pages = resident_pages(_read("/proc/self/statm"))
            if pages is not None:
                self._memory.add(time.monotonic_ns() - self._began_ns, pages * _PAGE)
            gevent.sleep(_WEIGH_S)

    def _collects(self, phase: str, info: Mapping[str, int]) -> None:
        """Python's collector begins or ends; whatever runs meanwhile stands still."""
        if phase == "start":
            self._collecting_ns = time.monotonic_ns()
        elif self._collecting_ns:
            self._pauses.add(time.monotonic_ns() - self._collecting_ns)
            self._collections[info["generation"]] += 1

    def finish(self) -> Vitals:
        """Stop watching, and give what was seen."""
        gevent.killall(self._greenlets, block=False)
        gc.callbacks.remove(self._collects)
        waited_ns, ticks = _waited_ns(), _ticks()
        return Vitals(
            lasted_ns=time.monotonic_ns() - self._began_ns,
            cpu=self._cpu.distribution(),
            waited_ns=None if waited_ns is None or self._waited_ns is None else waited_ns - self._waited_ns,
            stolen=None if ticks is None or self._ticks is None else ticks.share_since(self._ticks),
            loop_lag=self._lag.distribution(),
            gc_pauses=self._pauses.distribution(),
            collections=tuple(self._collections[generation] for generation in range(len(gc.get_count()))),
            under_way=self._sampled,
            memory=tuple(self._memory.points),
        )


def _waited_ns() -> int | None:
    """How long the main thread, whose number is the process's, has waited for a processor."""
    return run_queue_wait_ns(_read(f"/proc/{os.getpid()}/task/{os.getpid()}/schedstat"))


def _ticks() -> Ticks | None:
    return machine_ticks(_read("/proc/stat"))


def _read(path: str) -> str:
    """The file's text; empty where there is none, as on all systems but Linux."""
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""
