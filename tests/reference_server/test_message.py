import json
from datetime import UTC, datetime

from msgspec import Raw

from reference_server.message import (
    EVENT_TYPES,
    MESSAGE_TYPES,
    AgentStarted,
    AgentThinking,
    Error,
    Event,
    EventPayload,
    MessagePayload,
    encode_event,
    encode_message,
)


def an_event(payload: EventPayload) -> Event:
    return Event(
        type=EVENT_TYPES[type(payload)],
        run_id="r-1",
        thread_id="t-1",
        user_id="u17",
        agent_name="optimizer",
        timestamp=datetime(2026, 11, 22, 8, 0, 0, 123, tzinfo=UTC),
        seq=2,
        emitted_ns=123456,
        payload=payload,
    )


def test_event_is_the_envelope_of_the_protocol() -> None:
    thought = AgentThinking("why", 1, "pipeline", 10)
    assert json.loads(encode_event(an_event(thought), 41)) == {
        "type": "agent_thinking",
        "run_id": "r-1",
        "thread_id": "t-1",
        "user_id": "u17",
        "agent_name": "optimizer",
        "timestamp": "2026-11-22T08:00:00.000123Z",
        "seq": 2,
        "offset": 41,
        "emitted_ns": 123456,
        "payload": {
            "reasoning": "why",
            "step_number": 1,
            "source": "pipeline",
            "progress_percentage": 10,
            "status": "thinking",
        },
    }


def test_context_is_echoed_byte_for_byte() -> None:
    started = AgentStarted("q1", "Started", Raw(b'{"n": 1.0,\t"big": 123456789012345678901234567890}'))
    assert b'"context":{"n": 1.0,\t"big": 123456789012345678901234567890}' in encode_event(
        an_event(started), 1
    )


def test_error_leaves_out_a_request_it_does_not_know() -> None:
    assert json.loads(encode_message(Error("bad_message", "no"))) == {
        "type": "error",
        "payload": {"code": "bad_message", "message": "no"},
    }
    assert json.loads(encode_message(Error("bad_message", "no", "q1")))["payload"]["request_id"] == "q1"


def test_every_payload_has_its_type() -> None:
    assert set(EVENT_TYPES) == set(EventPayload.__args__)
    assert set(MESSAGE_TYPES) == set(MessagePayload.__args__)
