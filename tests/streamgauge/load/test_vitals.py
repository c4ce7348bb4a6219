import gc
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from streamgauge.core.recording import Recording
from streamgauge.core.vitals import Vitals
from tests.support.apart import INSIDE

if TYPE_CHECKING or INSIDE:
    import gevent

    from streamgauge.load.bench import Bench
    from streamgauge.load.vitals import VitalSigns

SECOND = 1_000_000_000
ALWAYS = (0, 2**62)
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


def idle(seconds: float) -> None:
    gevent.sleep(seconds)


def block(seconds: float) -> None:
    """Keep the loop from everything else, and the processor busy."""
    end_ns = time.monotonic_ns() + int(seconds * SECOND)
    while time.monotonic_ns() < end_ns:
        pass


def vitals_of(*acts: Callable[[], None], load_ns: tuple[int, int] = ALWAYS, under_way: int = 7) -> Vitals:
    """What is seen of a process that does this, one after the other."""
    signs = VitalSigns(lambda: under_way, load_ns, random.Random(1))
    for act in acts:
        act()
    return signs.finish()


def test_a_loop_that_stands_still_lags_for_all_that_was_due_meanwhile() -> None:
    seen = vitals_of(lambda: idle(0.3), lambda: block(0.6), lambda: idle(0.1))
    assert seen.loop_lag.most > 0.4 * SECOND
    # one probe came late and some thirty were due: they fill the time up evenly
    late = sum(seen.loop_lag.at_rank(rank) > 0.1 * SECOND for rank in range(1, seen.loop_lag.n + 1))
    assert late >= 15
    assert seen.loop_lag.n > 35


def test_processor_time_is_of_the_whole_process_while_the_load_lasts() -> None:
    busy = [act for _ in range(2) for act in (lambda: block(1.1), lambda: idle(0.05))]
    seen, idling = vitals_of(*busy), vitals_of(lambda: idle(2))
    assert 1 <= seen.cpu.n <= 2
    assert seen.cpu.mean > 4 * (idling.cpu.mean if idling.cpu.n else 0)
    assert vitals_of(*busy, load_ns=(2**61, 2**62)).cpu.n == 0  # before the load
    assert vitals_of(*busy, load_ns=(0, 1)).cpu.n == 0  # and after it


def test_every_garbage_collection_is_timed() -> None:
    cycles: list[list[object]] = []

    def collect() -> None:
        for _ in range(200_000):
            cycles.append([cycles])
        gc.collect(0)
        gc.collect(1)
        gc.collect(2)

    seen = vitals_of(collect)
    assert len(seen.collections) == 3
    assert all(n >= 1 for n in seen.collections)
    assert seen.gc_pauses.n == sum(seen.collections)
    assert 0 < seen.gc_pauses.least < seen.gc_pauses.most


def test_nothing_is_left_behind() -> None:
    before = list(gc.callbacks)
    vitals_of(lambda: idle(0.01))
    assert gc.callbacks == before


def test_runs_under_way_are_sampled() -> None:
    seen = vitals_of(lambda: idle(1), under_way=7)
    assert seen.under_way.n >= 1
    assert (seen.under_way.mean, seen.under_way.error) == (7, 0)
    assert seen.lasted_ns >= SECOND


@on_linux
def test_linux_tells_of_waiting_and_of_steal() -> None:
    seen = vitals_of(lambda: block(0.2))
    assert seen.waited is not None
    assert 0 <= seen.waited <= 1
    assert seen.stolen is not None
    assert 0 <= seen.stolen <= 1


def test_elsewhere_they_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", _nowhere)
    seen = vitals_of(lambda: idle(0.05))
    assert (seen.waited, seen.stolen) == (None, None)
    assert seen.loop_lag.n > 0


def _nowhere(*_: object, **__: object) -> str:
    raise FileNotFoundError


def test_a_share_and_a_recording_bring_them_home(make_bench: "Callable[..., Bench]") -> None:
    bench = make_bench(users=1, spawn_rate=10, duration=20)
    idle(0.1)
    share = bench.finish()
    assert share.vitals is not None
    assert share.vitals.loop_lag.n > 0
    recording = Recording.of(Path(share.recording).read_bytes())
    assert recording.end is not None
    assert recording.end.vitals == share.vitals
    assert recording.header.load_ns == (100_000_000, 20 * SECOND)
    assert recording.header.doubts == bench.plan.doubts
