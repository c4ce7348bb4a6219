from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from streamgauge.core.observation import Asked, Gauged, Makes, Observation, Received, Unsent
from streamgauge.core.slices import Turn
from tests.support.apart import INSIDE

if TYPE_CHECKING or INSIDE:
    from gevent import joinall, sleep, spawn
    from locust.env import Environment

    from streamgauge.load.bench import Bench
    from streamgauge.load.together import Blocks, Together
    from streamgauge.load.user import begin

Make = Callable[..., "Bench"]
Recorded = Callable[["Bench"], list[Observation]]
Turns = tuple[Turn, ...]


def hushed(block: int, runs: int, *, counted: bool = True) -> Turn:
    return Turn(block, "off", runs, 7, {"emission": "off"}, silent=True, counted=counted)


def two_blocks(runs: int, _seed: int) -> Iterator[Turns]:
    yield hushed(0, runs, counted=False), Turn(0, "idle", 0, 7, counted=False)
    yield hushed(1, runs), Turn(1, "idle", 0, 7)


def forever(runs: int, _seed: int) -> Iterator[Turns]:
    block = 0
    while True:
        yield (hushed(block, runs),)
        block += 1


def broken(_runs: int, _seed: int) -> Iterator[Turns]:
    yield ()
    raise RuntimeError("no more blocks")


def gathered(bench: "Bench", blocks: "Blocks", users: int = 2) -> "list[Together]":
    """So many users, connected."""

    class Some(Together):
        pass

    Some.blocks = staticmethod(blocks)
    begin(bench)
    them: list[Together] = [Some(Environment()) for _ in range(users)]
    for user in them:
        user.on_start()
    return them


@pytest.fixture
def plan() -> dict[str, object]:
    return {"users": 2, "slice_runs": 3, "duration": 30}


def borders(rows: list[Observation]) -> list[Gauged]:
    return [row for row in rows if isinstance(row, Gauged)]


def test_all_users_make_the_runs_of_every_turn_between_its_borders(
    make_bench: Make, recorded: Recorded, plan: dict[str, object]
) -> None:
    bench = make_bench("reports", **plan)
    gathered(bench, two_blocks)
    sleep(2)
    rows = recorded(bench)
    assert [(row.arm, row.block, row.runs) for row in borders(rows)] == [
        *[("", 0, 0)] * 2,  # what warms up is no slice
        *(("off", 1, 6), ("idle", 1, 0), ("", 0, 0)),
    ]
    first, last = (rows.index(row) for row in borders(rows)[2:4])
    between = rows[first + 1 : last]
    assert sum(isinstance(row, Asked) and row.silent for row in between) == 6
    assert sum(isinstance(row, Received) and row.event.account is not None for row in between) == 6
    assert len({row.conn for row in between}) == 2
    assert [row.at_ns for row in rows] == sorted(row.at_ns for row in rows)


def test_a_server_that_does_not_tell_its_time_is_measured_without(
    make_bench: Make, recorded: Recorded, plan: dict[str, object]
) -> None:
    bench = make_bench("reports", **plan)
    gathered(bench, two_blocks)
    sleep(2)
    assert {row.cpu_ns for row in borders(recorded(bench))} == {-1}


def test_nobody_begins_before_all_are_there(
    make_bench: Make, recorded: Recorded, plan: dict[str, object]
) -> None:
    bench = make_bench("reports", **plan | {"users": 3})
    gathered(bench, two_blocks, users=2)
    sleep(0.7)
    assert not [row for row in recorded(bench) if isinstance(row, Asked | Gauged)]


def test_the_turns_end_with_the_run(make_bench: Make, recorded: Recorded, plan: dict[str, object]) -> None:
    bench = make_bench("reports", **plan | {"duration": 3})
    gathered(bench, forever)
    sleep(2.5)
    rows = recorded(bench)
    assert len(borders(rows)) > 2
    assert borders(rows)[-1].arm == ""
    assert borders(rows)[-1].at_ns < bench.began_ns + 2_000_000_000


def test_users_who_are_stopped_finish_their_runs_and_take_no_more(
    make_bench: Make, recorded: Recorded, plan: dict[str, object]
) -> None:
    bench = make_bench("reports", **plan)
    users = gathered(bench, forever)
    sleep(0.7)
    joinall([spawn(user.on_stop) for user in users])
    asked = bench.runs
    sleep(0.3)
    assert bench.runs == asked > 0
    rows = recorded(bench)
    assert borders(rows)[-1].arm == "off"  # a slice that was cut short has no end
    assert not [row for row in rows if isinstance(row, Unsent)]


def test_without_connections_there_are_no_more_turns(
    make_bench: Make, recorded: Recorded, plan: dict[str, object]
) -> None:
    bench = make_bench("reports", **plan)
    for user in gathered(bench, forever):
        user.tabs[0].abandon()
    sleep(0.7)
    assert not [row for row in recorded(bench) if isinstance(row, Asked)]


def test_a_scenario_that_fails_between_turns_is_a_trouble(make_bench: Make, plan: dict[str, object]) -> None:
    bench = make_bench("reports", **plan)
    gathered(bench, broken)
    sleep(0.7)
    assert bench.finish().troubles == ("1 × RuntimeError between slices: no more blocks",)


def test_what_the_script_makes_is_told_to_the_rules(
    make_bench: Make, recorded: Recorded, plan: dict[str, object]
) -> None:
    script = [{"do": "tool", "name": "search"}, {"do": "stream", "chunks": 2}, {"do": "result"}]
    bench = make_bench("reports", **plan, personas=[{"script": script}])
    gathered(bench, two_blocks)
    sleep(1)
    assert {row.makes for row in recorded(bench) if isinstance(row, Asked)} == {Makes(0, 1, 2)}
