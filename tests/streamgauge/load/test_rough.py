import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from streamgauge.core.observation import Asked, Closed, Malformed, Observation, Opened, Received, Unsent
from streamgauge.core.resources import Held
from tests.support.apart import INSIDE

if TYPE_CHECKING or INSIDE:
    from gevent import sleep
    from locust.env import Environment

    from streamgauge.load import Rough
    from streamgauge.load.bench import Bench
    from streamgauge.load.user import MOST_UNDER_WAY, begin

Make = Callable[..., "Bench"]
Recorded = Callable[["Bench"], list[Observation]]
OFTEN = {"kind": "constant", "interval": 0.02}


def started(bench: "Bench") -> "Rough":
    begin(bench)
    user = Rough(Environment())
    user.on_start()
    return user


def dialled(bench: "Bench") -> int:
    """How many connections there were."""
    return bench._numbers


def act(user: "Rough", seconds: float, until: Callable[[], bool] = lambda: False) -> None:
    """Have it do what is due, as Locust does."""
    deadline_s = time.monotonic() + seconds
    while time.monotonic() < deadline_s and not until():
        sleep(0.02)
        user.act()


def test_who_is_cut_comes_back_and_asks_on(make_bench: Make, recorded: Recorded) -> None:
    bench = make_bench("answers", personas=[{"cut_bytes": 1_500}], arrivals=OFTEN)
    act(started(bench), 5, until=lambda: dialled(bench) > 10)
    rows = recorded(bench)
    opened = [row for row in rows if isinstance(row, Opened)]
    closed = [row for row in rows if isinstance(row, Closed)]
    assert len(opened) > 5
    assert len({row.user for row in opened}) == 1
    assert {(row.code, row.ours) for row in closed} == {(1006, True)}
    assert any(isinstance(row, Received) for row in rows)
    assert not any(isinstance(row, Malformed | Unsent) for row in rows)  # what was cut off is no message


def test_where_it_is_cut_is_the_seeds(make_bench: Make) -> None:
    drawn = [
        started(make_bench("answers", personas=[{"cut_bytes": 5_000}], seed=seed))._cut_bytes()
        for seed in (3, 3, 4)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_stalled_reader_asks_for_much_and_hears_nothing(make_bench: Make, recorded: Recorded) -> None:
    bench = make_bench("answers", personas=[{"reader": "stalled"}], arrivals=OFTEN)
    act(started(bench), 0.3)
    (frozen,) = bench.frozen
    assert not frozen.is_left
    assert bench.holding().held == Held(1, MOST_UNDER_WAY)
    assert not bench.connections
    rows = recorded(bench)
    assert sum(isinstance(row, Asked) for row in rows) == MOST_UNDER_WAY
    assert [row.ours for row in rows if isinstance(row, Closed)] == [True]
    events = [row for row in rows if isinstance(row, Received) and row.event.run]
    assert events == []


def test_the_dead_say_nothing_and_stay(make_bench: Make, recorded: Recorded) -> None:
    bench = make_bench("answers", personas=[{"reader": "dead"}], arrivals=OFTEN)
    act(started(bench), 0.3)
    (frozen,) = bench.frozen
    assert not frozen.is_left
    rows = recorded(bench)
    assert not any(isinstance(row, Asked | Unsent) for row in rows)
    assert sum(isinstance(row, Opened) for row in rows) == 1


@pytest.mark.parametrize("linger", [0.1, 60])
def test_the_next_dead_one_comes_when_the_last_was_left_or_is_long_forgotten(
    make_bench: Make, linger: float
) -> None:
    bench = make_bench("answers", personas=[{"reader": "dead"}], arrivals=OFTEN, linger=linger)
    user = started(bench)
    act(user, 1)
    assert len(bench.frozen) == 1
    assert (dialled(bench) > 3) is (linger < 1)


def test_who_was_ended_by_the_server_is_followed_by_the_next(make_bench: Make) -> None:
    bench = make_bench("hangs_up", personas=[{"reader": "dead"}], arrivals=OFTEN)
    act(started(bench), 5, until=lambda: dialled(bench) > 10)
    assert len(bench.frozen) <= 1
    assert dialled(bench) > 10


def test_a_user_without_troubles_is_as_any_other(make_bench: Make, recorded: Recorded) -> None:
    bench = make_bench("answers", arrivals=OFTEN)
    act(started(bench), 0.3)
    rows = recorded(bench)
    assert sum(isinstance(row, Opened) for row in rows) == 1
    assert sum(isinstance(row, Asked) for row in rows) > 5


def test_what_left_lately_may_still_be_held(make_bench: Make) -> None:
    bench = make_bench("accepts", linger=0.5, arrivals=OFTEN)
    user = started(bench)
    act(user, 0.2)
    (tab,) = user.tabs
    runs = tab.under_way
    assert runs
    assert bench.holding().held == Held(1, runs)
    tab.close()
    assert bench.holding().held == Held(1, runs)
    sleep(0.6)
    assert bench.holding().held == Held(0, 0)
