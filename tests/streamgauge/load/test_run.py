import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from streamgauge.core.event import Event, Kind
from streamgauge.core.observation import Asked, Received, Stretch
from tests.support.apart import INSIDE
from tests.support.history import accepted, completed, failed, started, thought
from tests.support.history import run as told
from tests.support.stretches import gathered

if TYPE_CHECKING or INSIDE:
    from gevent import sleep, spawn
    from gevent.event import Event as Flag

    from streamgauge.load.bench import Bench
    from streamgauge.load.locust_stats import Finished
    from streamgauge.load.run import Run, UnderWay

Make = Callable[..., "Bench"]
MS = 1_000_000


def begun(under_way: "UnderWay", request: str = "q1") -> "Run":
    """A run that was asked for, due at 0."""
    run = Run(Asked(1, 0, request, "t1", "guide", "c1", 0, time.monotonic_ns()), "guide", Flag())
    under_way.begin(run)
    return run


def read(*rows: Received, at_ms: int = 5) -> Stretch:
    """The rows, when they were read at once."""
    return gathered([replace(row, at_ns=at_ms * MS) for row in rows])


EVENTS = told(started(), thought(1), thought(2), completed()).events
OTHERS = told(started(), thought(1), completed(), user="eve").events


@pytest.fixture
def bench(make_bench: Make) -> "Bench":
    return make_bench("accepts")


@pytest.fixture
def under_way(bench: "Bench") -> "UnderWay":
    return UnderWay(bench, "ann")


# Its flags


@pytest.mark.parametrize("name", ["accepted", "reported"])
def test_a_flag_wakes_who_waits_and_is_set_for_who_comes_later(under_way: "UnderWay", name: str) -> None:
    early, late = begun(under_way), begun(under_way, "q2")
    waiting = spawn(getattr(early, name).wait, 5)
    sleep(0)
    assert not waiting.ready()
    for run in (early, late):
        getattr(run, f"is_{name}")()
    assert waiting.get(timeout=5) is True
    assert getattr(late, name).is_set()
    assert not getattr(begun(under_way, "q3"), name).is_set()


# Stretches


def test_a_stretch_brings_a_run_from_its_acceptance_to_its_end(bench: "Bench", under_way: "UnderWay") -> None:
    run = begun(under_way)
    under_way.go_on(read(accepted(), *EVENTS))
    assert (run.run, run.ended, run.ended_ns, len(under_way)) == ("r1", True, 5 * MS, 0)
    assert run.accepted.is_set()
    assert run.over.is_set()
    assert under_way.settled.is_set()
    assert list(bench.finished) == [Finished("guide", 5.0)]
    assert bench.runs == 1


def test_several_bring_it_there_too(under_way: "UnderWay") -> None:
    run = begun(under_way)
    under_way.tell(accepted().event, 0)
    for rows in (EVENTS[:2], EVENTS[2:3]):
        under_way.go_on(read(*rows))
        assert (run.run, run.ended, run.over.is_set()) == ("r1", False, False)
    under_way.go_on(read(*EVENTS[3:]))
    assert run.over.is_set()


def test_a_run_ended_when_the_kernel_had_its_end(under_way: "UnderWay") -> None:
    run = begun(under_way)
    under_way.go_on(replace(read(accepted(), *EVENTS), kernel_ns=3 * MS))
    assert run.ended_ns == 3 * MS


def test_a_run_is_known_by_its_start_where_nothing_accepted_it(under_way: "UnderWay") -> None:
    run = begun(under_way)
    under_way.go_on(read(*EVENTS[:2]))
    assert (run.run, run.ended) == ("r1", False)


def test_another_user_s_start_begins_nothing_here(under_way: "UnderWay") -> None:
    run = begun(under_way)
    under_way.go_on(read(*OTHERS))
    assert (run.run, run.ended) == ("", False)


def test_whose_acceptance_came_is_known_whatever_name_its_events_bear(under_way: "UnderWay") -> None:
    run = begun(under_way)
    under_way.go_on(read(accepted(), *OTHERS))
    assert (run.run, run.ended) == ("r1", True)


@pytest.mark.parametrize("rows", [EVENTS[1:3], EVENTS[3:], told(started(), completed(), name="r9").events])
def test_a_stretch_of_nobody_s_run_ends_none(under_way: "UnderWay", rows: list[Received]) -> None:
    run = begun(under_way, "q7")
    under_way.go_on(read(*rows))
    assert (run.run, run.ended, len(under_way)) == ("", False, 1)


# Going on


@pytest.mark.parametrize("goes_on", [True, False])
def test_nobody_is_woken_where_the_user_goes_on_from_the_callback(
    under_way: "UnderWay", goes_on: bool
) -> None:
    asked: list[Run] = []

    def go_on(run: "Run") -> bool:
        asked.append(run)
        return goes_on

    run = begun(under_way)
    run.goes_on = go_on
    under_way.go_on(read(accepted(), *EVENTS))
    assert asked == [run]
    assert run.ended
    assert run.over.is_set() is not goes_on


@pytest.mark.parametrize(
    "event",
    [
        Event(Kind.REFUSED, request="q1", status="busy"),
        told(failed(), name="q1").events[0].event,
    ],
)
def test_a_run_that_ended_in_an_error_is_asked_too_whether_its_user_goes_on(
    bench: "Bench", under_way: "UnderWay", event: Event
) -> None:
    asked: list[Run] = []

    def stops(run: "Run") -> bool:
        asked.append(run)
        return False

    run = begun(under_way)
    run.goes_on = stops
    under_way.tell(event, 9 * MS)
    assert asked == [run]
    assert run.over.is_set()
    assert [(finished.took_ms, bool(finished.error)) for finished in bench.finished] == [(9.0, True)]


def test_who_gave_up_is_not_asked(under_way: "UnderWay") -> None:
    run = begun(under_way)
    run.goes_on = lambda _: pytest.fail("its connection is gone")
    under_way.give_up()
    assert run.over.is_set()
    assert run.accepted.is_set()
    assert run.reported.is_set()
    assert not run.ended
