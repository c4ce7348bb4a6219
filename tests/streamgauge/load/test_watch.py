from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from streamgauge.core.doubt import FORSAKEN
from streamgauge.plan import Plan
from tests.support.apart import INSIDE

if TYPE_CHECKING or INSIDE:
    from streamgauge.load.bench import Snapshot
    from streamgauge.load.watch import CAPPED, await_early_end


def ending(plan: Plan, *seen: "Snapshot") -> str:
    """What ends a run whose watcher sees these, one after the other, while its users are there."""
    looks: Iterator[Snapshot] = iter(seen)
    left = len(seen)

    def look() -> "Snapshot":
        nonlocal left
        left -= 1
        return next(looks)

    return await_early_end(plan, lambda: left > 0, look, lambda: 5)


def test_a_run_is_over_before_anything_ends_it() -> None:
    plan = Plan(abort_on=("findings > 1",), most_runs=9)
    assert ending(plan, Snapshot(users=5, findings=1, asked=8)) == ""


@pytest.mark.parametrize("most_runs", [0, 1])
def test_a_condition_that_holds_ends_it_and_is_told_even_where_the_cap_is_reached(most_runs: int) -> None:
    plan = Plan(abort_on=("findings > 1",), most_runs=most_runs)
    assert ending(plan, Snapshot(users=5), Snapshot(users=5, findings=2, asked=1)) == "findings > 1"


def test_it_ends_when_all_was_asked_that_may_be() -> None:
    assert ending(Plan(most_runs=9), Snapshot(users=5, asked=8), Snapshot(users=5, asked=9)) == CAPPED


def test_it_ends_when_nobody_is_connected_any_more() -> None:
    nobody = [Snapshot()] * 20
    assert ending(Plan(users=1, spawn_rate=1000), Snapshot(users=5), *nobody) == FORSAKEN
