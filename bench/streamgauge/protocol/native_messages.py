"""The messages of the native protocol, as far as a rule or a metric reads them.

What a message may not lack has no default here, so that one pass of msgspec both
decodes and validates it. Fields that are not named are skipped.
"""

from typing import Annotated, Final, Literal, get_args

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

# What a recording and a histogram hold: 64 bits.
_MOST: Final = 2**63 - 1

Count = Annotated[int, Meta(ge=1, le=_MOST)]
Index = Annotated[int, Meta(ge=0, le=_MOST)]
Nanoseconds = Annotated[int, Meta(ge=0, le=_MOST)]
Step = Annotated[int, Meta(ge=-_MOST, le=_MOST)]
Name = Annotated[str, Meta(min_length=1)]


class Message(Struct, tag_field="type", gc=False):
    """A message that is no event of a run."""


class RunEvent(Message, gc=False, kw_only=True):
    """The envelope of an event."""

    run_id: Name
    thread_id: str
    user_id: str
    agent_name: str
    seq: Count
    offset: Count
    emitted_ns: Nanoseconds
    clock_id: str = ""


class Opening(Struct, gc=False):
    request_id: str
    context: Raw


class Thought(Struct, gc=False):
    source: Literal["pipeline", "agent"]
    step_number: Step | None = None


class Tool(Struct, gc=False):
    tool_call_id: Name


class ToolEnd(Tool, gc=False):
    status: Literal["success", "error", "timeout", "cancelled"]


class Delta(Struct, gc=False):
    index: Index
    delta: str


class Answer(Opening, gc=False):
    answer_sha256: str


class Failure(Opening, gc=False):
    error_type: Name


class AgentStarted(RunEvent, tag="agent_started", gc=False, kw_only=True):
    payload: Opening


class AgentThinking(RunEvent, tag="agent_thinking", gc=False, kw_only=True):
    payload: Thought


class ToolExecuting(RunEvent, tag="tool_executing", gc=False, kw_only=True):
    payload: Tool


class ToolCompleted(RunEvent, tag="tool_completed", gc=False, kw_only=True):
    payload: ToolEnd


class PartialResult(RunEvent, tag="partial_result", gc=False, kw_only=True):
    payload: Delta


class AgentCompleted(RunEvent, tag="agent_completed", gc=False, kw_only=True):
    payload: Answer


class AgentError(RunEvent, tag="agent_error", gc=False, kw_only=True):
    payload: Failure


class Greeting(Struct, gc=False):
    user_id: Name
    clock_id: str


class Acceptance(Struct, gc=False):
    request_id: str
    run_id: Name
    thread_id: str


class Objection(Struct, gc=False):
    code: str
    request_id: str | UnsetType = UNSET


class Account(Struct, gc=False):
    run_id: Name
    execution_ns: Nanoseconds
    emission_ns: Nanoseconds
    events: Index


class Times(Struct, gc=False):
    client_ns: Step
    server_ns: Nanoseconds


class ConnectionEstablished(Message, tag="connection_established", gc=False, kw_only=True):
    payload: Greeting


class RunAccepted(Message, tag="run_accepted", gc=False, kw_only=True):
    payload: Acceptance


class Complaint(Message, tag="error", gc=False, kw_only=True):
    payload: Objection


class RunReport(Message, tag="run_report", gc=False, kw_only=True):
    payload: Account


class Ack(Message, tag="ack", gc=False, kw_only=True):
    pass


class Heartbeat(Message, tag="heartbeat", gc=False, kw_only=True):
    pass


class Pong(Message, tag="pong", gc=False, kw_only=True):
    payload: Times


AnyMessage = (
    AgentStarted
    | AgentThinking
    | ToolExecuting
    | ToolCompleted
    | PartialResult
    | AgentCompleted
    | AgentError
    | ConnectionEstablished
    | RunAccepted
    | RunReport
    | Complaint
    | Ack
    | Heartbeat
    | Pong
)


def type_names() -> frozenset[str]:
    """The types that this protocol knows."""
    return frozenset(str(cls.__struct_config__.tag) for cls in get_args(AnyMessage))
