"""A user who converses: in a closed loop, asking again from the callback that read the end of a run."""

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from streamgauge.core.event import Kind
from streamgauge.core.observation import Asked, Closed, Observation, Received, Unsent, arrival_ns
from tests.support.apart import INSIDE

if TYPE_CHECKING or INSIDE:
    import gevent
    from gevent import get_hub, getcurrent, sleep, spawn
    from gevent.event import Event as Flag
    from locust.env import Environment
    from locust.user.task import LOCUST_STATE_STOPPING

    from streamgauge.load import Asker
    from streamgauge.load.bench import Bench
    from streamgauge.load.run import Run
    from streamgauge.load.user import begin

Make = Callable[..., "Bench"]
Recorded = Callable[["Bench"], list[Observation]]
MS = 1_000_000
ONCE = {"kind": "lockstep", "interval": 1_000}  # the plan's own schedule has one request, and no more
CLOSED: dict[str, Any] = {"arrivals": ONCE, "personas": [{"think": 0}]}


class Watched:
    """An asker under way, of whom is noted which of its requests a callback sent."""

    def __init__(self, bench: "Bench") -> None:
        begin(bench)
        self.bench = bench
        self.by_callback: list[bool] = []
        self.runs: list[Run] = []
        self.user = Asker(Environment())
        self.user.on_start()
        self._send, self.user._send = self.user._send, self.noted  # type: ignore[method-assign]
        self.user._next_ns = time.monotonic_ns()
        self.turn = spawn(self.user.ask_what_is_due)

    def noted(self, due_ns: int, overrides: dict[str, str] | None = None, over: "Flag | None" = None) -> Any:
        run = self._send(due_ns, overrides, over)
        if run is not None:
            self.by_callback.append(getcurrent() is get_hub())
            self.runs.append(run)
        return run

    def stop(self) -> None:
        """As Locust does it."""
        self.user._state = LOCUST_STATE_STOPPING

    def is_done(self) -> bool:
        """Whether its task comes to an end, within a few seconds."""
        self.turn.join(5)
        return bool(self.turn.ready())

    def until(self, requests: int) -> None:
        """Wait for so many."""
        with gevent.Timeout(10):
            while len(self.runs) < requests:
                sleep(0.005)


Watch = Callable[["Bench"], "Watched"]


@pytest.fixture
def watch() -> Iterator[Watch]:
    begun: list[Watched] = []

    def watched(bench: "Bench") -> Watched:
        begun.append(Watched(bench))
        return begun[-1]

    yield watched
    for one in begun:
        one.turn.kill()


def requests(rows: list[Observation]) -> list[Asked]:
    return [row for row in rows if isinstance(row, Asked)]


def ends(rows: list[Observation]) -> list[int]:
    """When the runs ended."""
    return [arrival_ns(row) for row in rows if isinstance(row, Received) and row.event.kind == Kind.COMPLETED]


def test_who_has_nothing_to_think_about_asks_again_from_the_callback(
    make_bench: Make, recorded: Recorded, watch: Watch
) -> None:
    asker = watch(make_bench("answers", **CLOSED))
    asker.until(requests=50)
    asker.stop()
    assert asker.is_done()
    assert asker.by_callback == [False] + [True] * (len(asker.runs) - 1)
    assert all(run.ended for run in asker.runs)
    rows = recorded(asker.bench)
    asked = requests(rows)
    assert asker.bench.runs == len(asked) == len(asker.runs)
    assert [row.due_ns for row in asked[1:]] == ends(rows)[:-1], "each is due when the last has ended"
    assert len({row.request for row in asked}) == len(asked)
    assert [row.at_ns for row in rows] == sorted(row.at_ns for row in rows)


def test_a_user_who_is_killed_asks_no_more(make_bench: Make, watch: Watch) -> None:
    asker = watch(make_bench("answers", **CLOSED))
    asker.until(requests=20)
    asker.turn.kill()
    asked = len(asker.runs)
    sleep(0.2)
    assert len(asker.runs) == asked


def test_while_somebody_connects_it_waits_for_its_turn_like_all_others(
    make_bench: Make, watch: Watch
) -> None:
    bench = make_bench("answers", **CLOSED)
    asker = watch(bench)
    bench.dialling += 1
    asker.until(requests=20)
    assert not any(asker.by_callback)
    bench.dialling -= 1
    asker.until(requests=40)
    asker.stop()
    assert asker.is_done()
    assert all(asker.by_callback[-10:])


def test_the_last_run_is_waited_for_when_it_is_told_to_stop(make_bench: Make, watch: Watch) -> None:
    asker = watch(make_bench("accepts", **CLOSED))
    asker.until(requests=1)
    asker.stop()
    assert not asker.turn.ready()
    sleep(0.2)
    assert not asker.turn.ready(), "it is not overdue yet"
    assert asker.bench.asked == 1


def test_a_conversation_may_last_longer_than_a_run(make_bench: Make, watch: Watch) -> None:
    asker = watch(make_bench("answers", slack=0.2, **CLOSED))
    sleep(0.7)
    asker.stop()
    assert asker.is_done()
    assert len(asker.runs) > 10
    assert asker.by_callback == [False] + [True] * (len(asker.runs) - 1)


def test_a_run_that_never_ends_is_overdue_and_the_user_goes_on(
    make_bench: Make, recorded: Recorded, watch: Watch
) -> None:
    asker = watch(make_bench("accepts", slack=0.2, **CLOSED))
    asker.until(requests=3)
    asker.stop()
    assert asker.is_done()
    assert asker.by_callback == [False] * len(asker.runs)
    assert not any(run.ended for run in asker.runs)
    asked = requests(recorded(asker.bench))
    assert all(later.at_ns >= earlier.deadline_ns for earlier, later in pairwise(asked))


def test_a_run_that_never_ends_in_mid_conversation_is_overdue_too(make_bench: Make, watch: Watch) -> None:
    asker = watch(make_bench("tires", slack=0.2, **CLOSED))
    asker.until(requests=5)
    asker.stop()
    assert asker.is_done()
    assert asker.by_callback[:5] == [False, True, True, False, False]
    assert [run.ended for run in asker.runs][:5] == [True, True, False, False, False]


def test_an_overdue_run_asks_for_nothing_though_it_should_end_after_all(
    make_bench: Make, watch: Watch
) -> None:
    asker = watch(make_bench("accepts", slack=0.2, **CLOSED))
    asker.until(requests=2)
    first, second = asker.runs[:2]
    assert (first.goes_on, second.goes_on is None) == (None, False)


def test_no_more_runs_are_asked_for_than_are_allowed(
    make_bench: Make, recorded: Recorded, watch: Watch
) -> None:
    asker = watch(make_bench("answers", most_runs=7, **CLOSED))
    assert asker.is_done()
    assert asker.by_callback == [False] + [True] * 6
    assert asker.user.wait_time() > 100, "it waits for what the plan has due"
    rows = recorded(asker.bench)
    assert len(requests(rows)) == len(ends(rows)) == 7
    assert not any(isinstance(row, Unsent) for row in rows)


def test_a_lost_connection_ends_the_conversation(make_bench: Make, recorded: Recorded, watch: Watch) -> None:
    asker = watch(make_bench("answers_once", **CLOSED))
    assert asker.is_done()
    assert [run.ended for run in asker.runs] == [True, False]
    rows = recorded(asker.bench)
    (closed,) = [row for row in rows if isinstance(row, Closed)]
    assert not closed.ours
    (unsent,) = [row for row in rows if isinstance(row, Unsent)]
    assert unsent.why == "the connection was lost"
    assert unsent.due_ns >= max(row.at_ns for row in requests(rows)), "it is another request"


def test_who_thinks_is_woken_and_asks_so_long_after_the_end(
    make_bench: Make, recorded: Recorded, watch: Watch
) -> None:
    settings = CLOSED | {"personas": [{"think": 0.02}]}
    asker = watch(make_bench("answers", **settings))
    for number in range(1, 5):
        assert asker.is_done()
        assert len(asker.runs) == number
        sleep(asker.user.wait_time())
        asker.turn = spawn(asker.user.ask_what_is_due)
    asker.stop()
    assert asker.is_done()
    assert asker.by_callback == [False] * 4
    rows = recorded(asker.bench)
    assert [row.due_ns for row in requests(rows)][1:] == [ended_ns + 20 * MS for ended_ns in ends(rows)[:-1]]
    assert all(row.at_ns >= row.due_ns for row in requests(rows))


def test_runs_go_round_the_tabs(make_bench: Make, recorded: Recorded, watch: Watch) -> None:
    settings = CLOSED | {"personas": [{"think": 0, "tabs": 2}]}
    asker = watch(make_bench("answers", most_runs=8, **settings))
    assert asker.is_done()
    assert sorted(row.conn for row in requests(recorded(asker.bench))) == [1] * 4 + [2] * 4


def test_a_request_that_cannot_be_sent_from_the_callback_is_counted_once(
    make_bench: Make, recorded: Recorded, watch: Watch
) -> None:
    """One of two tabs is gone: its turn is lost, and the next one is the plan's."""
    settings = CLOSED | {"personas": [{"think": 0, "tabs": 2}]}
    bench = make_bench("answers", **settings)
    asker = watch(bench)
    asker.user.tabs[0].abandon()
    assert asker.is_done()
    rows = recorded(bench)
    unsent = [row.due_ns for row in rows if isinstance(row, Unsent)]
    dues = [row.due_ns for row in requests(rows)]
    assert unsent
    assert len({*unsent, *dues}) == len(unsent) + len(dues)


def test_who_may_interrupt_its_runs_waits_for_each(make_bench: Make, watch: Watch) -> None:
    settings = CLOSED | {"personas": [{"think": 0, "speak_share": 0.5}]}
    asker = watch(make_bench("answers", **settings))
    asker.until(requests=5)
    asker.stop()
    assert asker.is_done()
    assert not any(asker.by_callback)


def test_in_an_open_loop_nobody_waits_for_an_end(make_bench: Make, watch: Watch) -> None:
    asker = watch(make_bench("accepts", arrivals=ONCE))
    assert asker.is_done()
    assert asker.by_callback == [False]
