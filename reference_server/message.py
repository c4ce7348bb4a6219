"""What the server says: one frozen struct a message, and their encoding."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

PROTOCOL = 1

ToolStatus = Literal["success", "error", "timeout", "cancelled"]
ErrorType = Literal["cancelled", "timeout", "agent_failed", "no_result", "run_lost", "overflow"]
ThoughtSource = Literal["pipeline", "agent"]


# Events: what a run does.


class AgentStarted(Struct, frozen=True):
    request_id: str
    message: str
    context: Raw
    status: Literal["started"] = "started"


class AgentThinking(Struct, frozen=True):
    reasoning: str
    step_number: int | None
    source: ThoughtSource
    progress_percentage: int | None = None
    status: Literal["thinking"] = "thinking"


class ToolExecuting(Struct, frozen=True):
    tool_call_id: str
    tool_name: str
    parameters: Mapping[str, Any]
    redacted: Sequence[str]
    status: Literal["executing"] = "executing"


class ToolCompleted(Struct, frozen=True):
    tool_call_id: str
    tool_name: str
    result: Mapping[str, Any]
    redacted: Sequence[str]
    status: ToolStatus
    execution_time_ms: float


class PartialResult(Struct, frozen=True):
    index: int
    delta: str


class AgentCompleted(Struct, frozen=True):
    result: Mapping[str, Any]
    answer_sha256: str
    execution_time_ms: float
    request_id: str
    context: Raw
    status: Literal["completed"] = "completed"


class AgentError(Struct, frozen=True):
    error_type: ErrorType
    error_message: str
    request_id: str
    context: Raw
    status: Literal["error"] = "error"


EventPayload = (
    AgentStarted | AgentThinking | ToolExecuting | ToolCompleted | PartialResult | AgentCompleted | AgentError
)

EVENT_TYPES: Mapping[type[EventPayload], str] = {
    AgentStarted: "agent_started",
    AgentThinking: "agent_thinking",
    ToolExecuting: "tool_executing",
    ToolCompleted: "tool_completed",
    PartialResult: "partial_result",
    AgentCompleted: "agent_completed",
    AgentError: "agent_error",
}
TERMINAL = (AgentCompleted, AgentError)


class Event(Struct, frozen=True, kw_only=True):
    """One event of one run. `offset` is 0 until a session gives it one; `emitted_ns` is monotonic."""

    type: str
    run_id: str
    thread_id: str
    user_id: str
    agent_name: str
    timestamp: datetime
    seq: int
    offset: int = 0
    emitted_ns: int
    payload: EventPayload


# Messages that are no events.


class SessionOffer(Struct, frozen=True):
    id: str
    window_s: float
    resume: bool


class ConnectionEstablished(Struct, frozen=True, kw_only=True):
    protocol: int = PROTOCOL
    user_id: str
    connection_id: str
    server_id: str
    clock_id: str
    server_ns: int
    heartbeat_s: float
    max_message_bytes: int
    session: SessionOffer


class RunAccepted(Struct, frozen=True):
    request_id: str
    run_id: str
    thread_id: str


class RunReport(Struct, frozen=True):
    """What the run cost: `execution_ns` in all, `emission_ns` of it inside the bridge."""

    run_id: str
    execution_ns: int
    emission_ns: int
    events: int
    emission: str


class Ack(Struct, frozen=True):
    command: str
    run_id: str


class Pong(Struct, frozen=True):
    client_ns: int
    server_ns: int


class Heartbeat(Struct, frozen=True):
    server_ns: int


class ResumeFailed(Struct, frozen=True):
    message: str


class Error(Struct, frozen=True):
    code: str
    message: str
    request_id: str | UnsetType = UNSET


MessagePayload = (
    ConnectionEstablished | RunAccepted | RunReport | Ack | Pong | Heartbeat | ResumeFailed | Error
)

MESSAGE_TYPES: Mapping[type[MessagePayload], str] = {
    ConnectionEstablished: "connection_established",
    RunAccepted: "run_accepted",
    RunReport: "run_report",
    Ack: "ack",
    Pong: "pong",
    Heartbeat: "heartbeat",
    ResumeFailed: "resume_failed",
    Error: "error",
}


class _Message(Struct, frozen=True):
    type: str
    payload: MessagePayload


_encoder = msgspec.json.Encoder()


def encode_event(event: Event, offset: int) -> bytes:
    """Encode an event under the offset that one session gives it.

    Raises `TypeError` or `UnicodeEncodeError` where a payload holds what JSON cannot.
    """
    return _encoder.encode(msgspec.structs.replace(event, offset=offset))


def encode_message(payload: MessagePayload) -> bytes:
    """Encode a message that is no event."""
    return _encoder.encode(_Message(MESSAGE_TYPES[type(payload)], payload))
