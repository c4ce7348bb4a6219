from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from reference_server.losses import Losses
from reference_server.message import Event, Pong, RunAccepted, ToolExecuting
from reference_server.metrics import Metrics
from reference_server.outbox import Outbox
from reference_server.session import REMEMBERED_REQUESTS, Session

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


def an_event(seq: int, parameters: dict[str, object] | None = None) -> Event:
    return Event(
        type="tool_executing",
        run_id="r1",
        thread_id="t1",
        user_id="u1",
        agent_name="a",
        timestamp=datetime(2026, 11, 22, tzinfo=UTC),
        seq=seq,
        emitted_ns=1,
        payload=ToolExecuting("call", "tool", parameters or {}, []),
    )


def sent(session: Session) -> list[tuple[int, int]]:
    messages = [json.loads(data) for data in session.outbox.take(10_000)]
    return [(message["offset"], message["seq"]) for message in messages if "offset" in message]


def a_session(metrics: Metrics | None = None, messages: int = 100) -> Session:
    losses = Losses(metrics or Metrics(), "c1")
    return Session("s1", "u1", Outbox(messages, 10_000, losses), losses)


def test_offsets_count_events_and_nothing_else() -> None:
    session = a_session()
    session.send(an_event(1))
    session.post(Pong(1, 2))
    session.send(an_event(2))
    assert sent(session) == [(1, 1), (2, 2)]


def test_an_offset_taken_before_is_kept() -> None:
    session = a_session()
    early = session.take_offset()
    session.send(an_event(2))
    session.send(an_event(1), early)
    assert sent(session) == [(2, 2), (1, 1)]


def test_an_event_that_cannot_be_encoded_uses_up_no_offset() -> None:
    session = a_session()
    with pytest.raises(TypeError):
        session.send(an_event(1, {"x": object()}))
    session.send(an_event(2))
    assert sent(session) == [(1, 2)]


def test_events_and_messages_that_nobody_takes_are_counted(kit: Kit) -> None:
    metrics = Metrics()
    session = a_session(metrics)
    session.outbox.close()
    session.send(an_event(1))
    session.post(Pong(1, 2))
    assert kit.sample(metrics, 'delivery_failures_total{reason="no_reader"}') == 2


def test_a_request_is_remembered_for_a_while() -> None:
    session = a_session()
    for number in range(REMEMBERED_REQUESTS + 1):
        session.accept(RunAccepted(f"q{number}", f"r{number}", "t"))
    assert session.accepted("q0") is None
    assert session.accepted("q1") == RunAccepted("q1", "r1", "t")
