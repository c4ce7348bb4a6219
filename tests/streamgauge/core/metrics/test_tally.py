from collections.abc import Collection

import pytest
from msgspec.structs import replace

from streamgauge.core.checks.fold import Checks
from streamgauge.core.contract import EVERY_RULE, Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.history import End, History
from streamgauge.core.metrics.tally import Share, Tally, runs, shares
from streamgauge.core.observation import Cancelled, Closed, Malformed, Observation, Unsent
from tests.support.history import (
    LIMITS,
    SECOND,
    accepted,
    completed,
    ended,
    failed,
    heard,
    lost,
    opened,
    run,
    session,
    started,
    thought,
    tool,
    twice,
    whole,
)
from tests.support.settling import alike

BEGUN = (started(), thought(1), thought(2))


def counted(*rows: Observation) -> dict[str, int]:
    tally = Tally()
    for row in rows:
        tally.add(row)
    return tally.counts()


def settled(*histories: History, promises: Collection[Rule] = EVERY_RULE) -> dict[str, int]:
    """What is counted of runs that the checks have judged."""
    tally, checks = Tally(), Checks(LIMITS, promises)
    for history in histories:
        tally.settle(alike(history, whole=checks.settle(history).whole))
    return tally.counts()


def test_rows_are_counted_by_what_they_are() -> None:
    counts = counted(
        *session(run(*whole(), cancelled=True)),
        opened("ben", 2),
        Unsent(2, 0, 0, "not connected"),
        Unsent(2, 0, 0, "not connected"),
        Unsent(2, 0, 0, "too late"),
        Malformed(2, 0, 9, "why"),
        Cancelled(2, 0, "r2"),
        Closed(2, 0, 1006, ours=False),
        heard(Event(Kind.HEARTBEAT), conn=2),
    )
    assert counts == {
        "connections": 2,
        "requests": 1,
        "cancels": 2,
        "requests unsent": 3,
        "unsent: not connected": 2,
        "unsent: too late": 1,
        "malformed messages": 1,
        "closed by the user": 1,
        "closed by the server": 1,
        "received accepted": 1,
        "received started": 1,
        "received thinking": 4,
        "received tool_executing": 1,
        "received tool_completed": 1,
        "received partial": 2,
        "received completed": 1,
        "received heartbeat": 1,
        "messages without a kernel stamp": 12,
        "events": 10,
        "messages": 12,
    }


def test_stamps_are_exact_or_bounds_or_none() -> None:
    message = heard(Event(Kind.ACK), at=2)
    counts = counted(
        replace(message, kernel_ns=SECOND, exact=True),
        replace(message, kernel_ns=SECOND, exact=True),
        replace(message, kernel_ns=SECOND),
        message,
    )
    assert (counts["exact stamps"], counts["messages without a kernel stamp"]) == (2, 1)


def test_events_are_counted_by_the_second_they_were_read_in() -> None:
    tally = Tally()
    for at in (0.2, 0.9, 3.0, 3.999):
        tally.add(heard(started(), at=at))
    tally.add(accepted(at=5))  # no event of a run
    assert tally.seconds() == {0: 2, 3: 2}


@pytest.mark.parametrize(
    ("history", "name"),
    [
        (run(*whole()), "runs completed"),
        (run(*BEGUN, failed()), "runs ended in agent_failed"),
        (run(*BEGUN, failed("cancelled"), cancelled=True), "runs ended in cancelled"),
        (run(*BEGUN, failed("")), "runs ended in error"),
        (run(*BEGUN), "runs never settled"),
        (run(), "runs never settled"),
        (run(end=End.REFUSED), "runs refused"),
        (run(*BEGUN, end=End.ABANDONED), "runs abandoned"),
    ],
)
def test_runs_are_counted_by_how_they_ended(history: History, name: str) -> None:
    counts = settled(history)
    assert {key: n for key, n in counts.items() if key.startswith("runs") and n and "with" not in key} in (
        {name: 1},
        {name: 1, "runs expected whole": 1},
    )


@pytest.mark.parametrize(
    ("history", "sequence", "thinking", "success"),
    [
        (run(*whole()), 1, 1, 1),
        (run(*BEGUN, thought(3), completed()), 1, 1, 1),
        (run(*BEGUN, tool("c"), lost(ended("c")), thought(3), completed()), 0, 1, 1),
        (run(lost(started()), thought(1), thought(2), thought(3), completed()), 0, 1, 1),
        (run(started(), lost(thought(1)), thought(2), thought(3), completed()), 0, 0, 1),
        (run(started(), completed()), 0, 0, 1),
        (run(*BEGUN, thought(3), twice(completed())), 0, 1, 1),
        (run(*BEGUN, thought(3)), 0, 1, 0),
        (run(*BEGUN, failed()), 0, 0, 0),
        (run(end=End.REFUSED), 0, 0, 0),
        (run(), 0, 0, 0),
    ],
)
def test_a_run_counts_towards_the_shares_that_it_reached(
    history: History, sequence: int, thinking: int, success: int
) -> None:
    assert shares(settled(history, run(*whole()))) == {
        "runs with the full sequence": Share(1 + sequence, 2),
        "runs with thinking": Share(1 + thinking, 2),
        "delivery success": Share(1 + success, 2),
    }


def test_a_run_that_was_kept_from_its_end_counts_towards_none() -> None:
    left = run(*BEGUN, end=End.ABANDONED)
    stopped = run(*BEGUN, failed("cancelled"), cancelled=True)
    scripted = run(*BEGUN, failed())
    scripted.asked = replace(scripted.asked, fails=True)
    assert set(shares(settled(left, stopped, scripted)).values()) == {Share(0, 0)}


def test_a_share_of_nothing_is_none() -> None:
    assert Share(0, 0).value is None
    assert Share(1, 4).value == 0.25


def test_runs_are_counted_whatever_way_they_ended() -> None:
    histories = (run(*whole()), run(*BEGUN, failed()), run(end=End.REFUSED), run(), run(end=End.ABANDONED))
    assert runs(settled(*histories)) == 5
    assert runs({"runs with thinking": 3, "runs expected whole": 3, "requests": 3}) == 0


def test_without_promised_thoughts_the_full_sequence_needs_none_and_their_share_is_none() -> None:
    promises = frozenset(Rule) - {Rule.THINKING_PRESENT}
    histories = (run(started(), completed()), run(started(), tool("c"), lost(ended("c")), completed()))
    assert shares(settled(*histories, promises=promises), promises) == {
        "runs with the full sequence": Share(1, 2),
        "delivery success": Share(2, 2),
    }
