from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any, cast

import pytest

from reference_server.slow import MOST_NS, slowed

if TYPE_CHECKING:
    from reference_server.bridge import Emit

TICK_NS = 100  # that a look at this clock takes


class Processor:
    """A process: its clock, and what it does."""

    def __init__(self) -> None:
        self._ticks = itertools.count()
        self.worked_ns = 0
        self.events = 0

    def cpu_ns(self) -> int:
        return next(self._ticks) * TICK_NS + self.worked_ns

    def emit(self, *_: object) -> None:
        self.events += 1
        self.worked_ns += 50_000


@pytest.fixture
def processor() -> Processor:
    return Processor()


def event(emit: Emit) -> None:
    emit(cast("Any", None), cast("Any", None))


@pytest.mark.parametrize("share", [0.1, 0.2, 1.0])
def test_events_cost_so_much_more(processor: Processor, share: float) -> None:
    emit = slowed(processor.emit, share, processor.cpu_ns)
    began = processor.cpu_ns()
    for _ in range(1_000):
        event(emit)
    spent = processor.cpu_ns() - began
    assert processor.events == 1_000
    assert spent == pytest.approx(processor.worked_ns * (1 + share), rel=0.02)


def test_what_is_done_between_events_costs_more_too(processor: Processor) -> None:
    emit = slowed(processor.emit, 0.2, processor.cpu_ns)
    processor.worked_ns += 10_000_000
    before = processor.cpu_ns()
    event(emit)
    assert processor.cpu_ns() - before == pytest.approx(50_000 + 0.2 * 10_050_000, rel=0.01)


def test_much_is_never_burnt_at_once_and_nothing_is_forgotten(processor: Processor) -> None:
    emit = slowed(processor.emit, 0.5, processor.cpu_ns)
    processor.worked_ns += 5 * MOST_NS
    for expected in (MOST_NS, MOST_NS, MOST_NS // 2):
        before = processor.cpu_ns()
        event(emit)
        assert processor.cpu_ns() - before == pytest.approx(expected, rel=0.1)


def test_a_real_processor_is_kept_busy() -> None:
    def work(*_: object) -> None:
        end = time.process_time_ns() + 2_000_000
        while time.process_time_ns() < end:
            pass

    emit = slowed(work, 1.0)
    began = time.process_time_ns()
    for _ in range(20):
        event(emit)
    assert 70_000_000 < time.process_time_ns() - began < 95_000_000
