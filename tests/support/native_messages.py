"""Every message of the native protocol, alone, and what its reader must know of it."""

import json
from typing import Any

from streamgauge.core.event import Account, Event, Kind
from streamgauge.protocol.dialect import context_digest
from streamgauge.protocol.native import NativeReader

Message = dict[str, Any]

ECHO = {"request_id": "q-1", "context": {"a": 1}}
DIGEST = context_digest({"a": 1})
# of every type a message as docs/wire.md has it, and what must be known of it
SAID: dict[str, tuple[Message, Message]] = {
    "agent_started": (
        {"status": "started", "message": "hello", **ECHO},
        {"kind": Kind.STARTED, "request": "q-1", "context": DIGEST},
    ),
    "agent_thinking": (
        {"reasoning": "hm", "step_number": 2, "source": "pipeline", "progress_percentage": 50},
        {"kind": Kind.THINKING, "pipeline": True, "step": 2},
    ),
    "tool_executing": (
        {"tool_call_id": "c-1", "tool_name": "search", "parameters": {}, "redacted": []},
        {"kind": Kind.TOOL_EXECUTING, "call": "c-1"},
    ),
    "tool_completed": (
        {"tool_call_id": "c-1", "tool_name": "search", "result": {}, "status": "success"},
        {"kind": Kind.TOOL_COMPLETED, "call": "c-1", "status": "success"},
    ),
    "partial_result": ({"index": 3, "delta": "äh"}, {"kind": Kind.PARTIAL, "index": 3, "size": 3}),
    "agent_completed": (
        {"status": "completed", "result": {"answer": "42"}, "answer_sha256": "abc", **ECHO},
        {"kind": Kind.COMPLETED, "request": "q-1", "context": DIGEST, "answer": "abc"},
    ),
    "agent_error": (
        {"status": "error", "error_type": "timeout", "error_message": "oh", **ECHO},
        {"kind": Kind.FAILED, "request": "q-1", "context": DIGEST, "status": "timeout"},
    ),
}
ENVELOPE = {
    "run_id": "r-1",
    "thread_id": "t-1",
    "user_id": "u1",
    "agent_name": "optimizer",
    "timestamp": "2026-11-22T08:00:00.000123Z",
    "seq": 2,
    "offset": 41,
    "emitted_ns": 123456,
}
OTHERS: dict[str, tuple[Message, Event]] = {
    "connection_established": (
        {"protocol": 1, "user_id": "u1", "connection_id": "c", "clock_id": "boot", "session": {"id": "s"}},
        Event(Kind.GREETING, user="u1", clock="boot"),
    ),
    "run_accepted": (
        {"request_id": "q-1", "run_id": "r-1", "thread_id": "t-1"},
        Event(Kind.ACCEPTED, run="r-1", thread="t-1", request="q-1"),
    ),
    "run_report": (
        {"run_id": "r-1", "execution_ns": 900, "emission_ns": 30, "events": 7, "emission": "on"},
        Event(Kind.REPORT, run="r-1", account=Account(900, 30, 7)),
    ),
    "error": (
        {"code": "not_found", "message": "none", "request_id": "q-1"},
        Event(Kind.REFUSED, request="q-1", status="not_found"),
    ),
    "ack": ({}, Event(Kind.ACK)),
    "heartbeat": ({"server_ns": 1}, Event(Kind.HEARTBEAT)),
    "pong": ({"client_ns": 1, "server_ns": 2}, Event(Kind.PONG, request="1", emitted_ns=2)),
}


def event(kind: str, **changes: Any) -> Message:
    """An event of a run; a change is to the envelope, or to the payload where it has the field."""
    payload = SAID[kind][0]
    inner = {name: value for name, value in changes.items() if name in payload}
    outer = {name: value for name, value in changes.items() if name not in payload}
    return {"type": kind, **ENVELOPE, **outer, "payload": payload | inner}


def other(kind: str) -> Message:
    return {"type": kind, "payload": OTHERS[kind][0]}


def read(message: Message | bytes, reader: NativeReader | None = None) -> Event:
    data = message if isinstance(message, bytes) else json.dumps(message).encode()
    return (reader or NativeReader()).read(data)[0]
