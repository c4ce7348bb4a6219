import random
from datetime import UTC, datetime

from msgspec import Raw

from reference_server.faults.lottery import Lottery
from reference_server.faults.place import Places
from reference_server.message import AgentCompleted, AgentThinking, Event, EventPayload

THOUGHT = AgentThinking("so", None, "agent")
END = AgentCompleted({}, "", 0.0, "q1", Raw(b"{}"))


def places() -> Places:
    return Places(Lottery(1.0, random.Random(1), lambda: None, lambda: None))


def event(seq: int, payload: EventPayload = THOUGHT, run: str = "r1") -> Event:
    return Event(
        type="-",
        run_id=run,
        thread_id="t1",
        user_id="u1",
        agent_name="a",
        timestamp=datetime(2026, 1, 1, tzinfo=UTC),
        seq=seq,
        emitted_ns=1,
        payload=payload,
    )


def test_one_event_of_each_run_is_drawn() -> None:
    drawn = places()
    for run in ("r1", "r2"):
        come = [drawn.has_come(event(seq, run=run)) for seq in range(1, 11)]
        assert come.count(True) == 1
        assert not come[0]


def test_an_end_is_never_drawn_and_a_run_that_ends_is_forgotten() -> None:
    drawn = places()
    for number in range(100):
        run = f"r{number}"
        assert not drawn.has_come(event(1, run=run))
        assert not drawn.has_come(event(2, END, run=run))
    assert not len(drawn)


def test_a_run_that_was_struck_is_forgotten() -> None:
    drawn = places()
    for seq in range(1, 10):
        drawn.has_come(event(seq))
    assert not len(drawn)
