"""The events of AG-UI 1.0, as far as a rule or a metric reads them (ag-ui-protocol 1.0.0).

What an event may not lack has no default here, so that one pass of msgspec both
decodes and validates it. Fields that are not named are skipped.
"""

from typing import Annotated, ClassVar, Final, Literal, get_args

from msgspec import Meta, Raw, Struct, field

_MOST: Final = 2**53 - 1  # what survives JSON

Role = Literal["developer", "system", "assistant", "user"]


class Said(Struct, tag_field="type", gc=False, kw_only=True):
    """An event; its timestamp has no unit that the specification would state."""

    timestamp: Annotated[int, Meta(ge=-_MOST, le=_MOST)] | None = None


class Attributed(Said, gc=False, kw_only=True):
    """An event that may belong to a subagent's work."""

    owner: str | None = field(default=None, name="subagentRunId")


class OfMessage(Attributed, gc=False, kw_only=True):
    part: str = field(name="messageId")


class OfTool(Attributed, gc=False, kw_only=True):
    part: str = field(name="toolCallId")


class OfStep(Attributed, gc=False, kw_only=True):
    part: str = field(name="stepName")


class OfSubagent(Said, gc=False, kw_only=True):
    owner: ClassVar[None] = None
    part: str = field(name="subagentRunId")


# The run itself


class RunStarted(Said, tag="RUN_STARTED", gc=False, kw_only=True):
    run: str = field(name="runId")
    thread: str = field(name="threadId")


class Outcome(Struct, gc=False):
    """Why a run ended; what is not known here is read as success."""

    type: str


class RunFinished(Said, tag="RUN_FINISHED", gc=False, kw_only=True):
    run: str = field(name="runId")
    thread: str = field(name="threadId")
    outcome: Outcome | None = None


class RunError(Said, tag="RUN_ERROR", gc=False, kw_only=True):
    message: str
    code: str | None = None


# What has a beginning and an end


class TextMessageStart(OfMessage, tag="TEXT_MESSAGE_START", gc=False, kw_only=True):
    role: Role | None = None


class TextMessageContent(OfMessage, tag="TEXT_MESSAGE_CONTENT", gc=False, kw_only=True):
    delta: str


class TextMessageEnd(OfMessage, tag="TEXT_MESSAGE_END", gc=False, kw_only=True):
    pass


class ToolCallStart(OfTool, tag="TOOL_CALL_START", gc=False, kw_only=True):
    name: str = field(name="toolCallName")


class ToolCallArgs(OfTool, tag="TOOL_CALL_ARGS", gc=False, kw_only=True):
    delta: str


class ToolCallEnd(OfTool, tag="TOOL_CALL_END", gc=False, kw_only=True):
    pass


class ReasoningStart(OfMessage, tag="REASONING_START", gc=False, kw_only=True):
    pass


class ReasoningEnd(OfMessage, tag="REASONING_END", gc=False, kw_only=True):
    pass


class ReasoningMessageStart(OfMessage, tag="REASONING_MESSAGE_START", gc=False, kw_only=True):
    role: Literal["reasoning"] | None = None


class ReasoningMessageContent(OfMessage, tag="REASONING_MESSAGE_CONTENT", gc=False, kw_only=True):
    delta: str


class ReasoningMessageEnd(OfMessage, tag="REASONING_MESSAGE_END", gc=False, kw_only=True):
    pass


class StepStarted(OfStep, tag="STEP_STARTED", gc=False, kw_only=True):
    pass


class StepFinished(OfStep, tag="STEP_FINISHED", gc=False, kw_only=True):
    pass


class SubagentStarted(OfSubagent, tag="SUBAGENT_STARTED", gc=False, kw_only=True):
    name: str


class SubagentFinished(OfSubagent, tag="SUBAGENT_FINISHED", gc=False, kw_only=True):
    pass


class SubagentError(OfSubagent, tag="SUBAGENT_ERROR", gc=False, kw_only=True):
    message: str


# The same without a beginning and an end: a chunk stands for either


class Chunk(Attributed, gc=False, kw_only=True):
    delta: str | None = None


class TextMessageChunk(Chunk, tag="TEXT_MESSAGE_CHUNK", gc=False, kw_only=True):
    part: str | None = field(default=None, name="messageId")
    role: Role | None = None


class ToolCallChunk(Chunk, tag="TOOL_CALL_CHUNK", gc=False, kw_only=True):
    part: str | None = field(default=None, name="toolCallId")
    name: str | None = field(default=None, name="toolCallName")


class ReasoningMessageChunk(Chunk, tag="REASONING_MESSAGE_CHUNK", gc=False, kw_only=True):
    part: str | None = field(default=None, name="messageId")


# What stands alone


class ToolCallResult(OfTool, tag="TOOL_CALL_RESULT", gc=False, kw_only=True):
    message: str = field(name="messageId")
    content: str | list[Raw]


class ReasoningEncryptedValue(Attributed, tag="REASONING_ENCRYPTED_VALUE", gc=False, kw_only=True):
    entity: str = field(name="entityId")
    subtype: Literal["tool-call", "message"]
    value: str = field(name="encryptedValue")


class StateSnapshot(Attributed, tag="STATE_SNAPSHOT", gc=False, kw_only=True):
    snapshot: Raw


class StateDelta(Attributed, tag="STATE_DELTA", gc=False, kw_only=True):
    delta: list[Raw]


class MessagesSnapshot(Said, tag="MESSAGES_SNAPSHOT", gc=False, kw_only=True):
    messages: list[Raw]


class ActivitySnapshot(OfMessage, tag="ACTIVITY_SNAPSHOT", gc=False, kw_only=True):
    activity: str = field(name="activityType")
    content: dict[str, Raw]


class ActivityDelta(OfMessage, tag="ACTIVITY_DELTA", gc=False, kw_only=True):
    activity: str = field(name="activityType")
    patch: list[Raw]


class RawEvent(Attributed, tag="RAW", gc=False, kw_only=True):
    event: Raw


class Custom(Attributed, tag="CUSTOM", gc=False, kw_only=True):
    name: str
    value: Raw


# Of 0.x, without ids: clients of 1.0 still read them


class ThinkingStart(Said, tag="THINKING_START", gc=False, kw_only=True):
    pass


class ThinkingEnd(Said, tag="THINKING_END", gc=False, kw_only=True):
    pass


class ThinkingTextMessageStart(Said, tag="THINKING_TEXT_MESSAGE_START", gc=False, kw_only=True):
    pass


class ThinkingTextMessageContent(Said, tag="THINKING_TEXT_MESSAGE_CONTENT", gc=False, kw_only=True):
    delta: str


class ThinkingTextMessageEnd(Said, tag="THINKING_TEXT_MESSAGE_END", gc=False, kw_only=True):
    pass


PartEvent = OfMessage | OfTool | OfStep | OfSubagent
AnyChunk = TextMessageChunk | ToolCallChunk | ReasoningMessageChunk
OldThinking = (
    ThinkingStart
    | ThinkingEnd
    | ThinkingTextMessageStart
    | ThinkingTextMessageContent
    | ThinkingTextMessageEnd
)

AnyEvent = (
    RunStarted
    | RunFinished
    | RunError
    | TextMessageStart
    | TextMessageContent
    | TextMessageEnd
    | TextMessageChunk
    | ToolCallStart
    | ToolCallArgs
    | ToolCallEnd
    | ToolCallChunk
    | ToolCallResult
    | ReasoningStart
    | ReasoningEnd
    | ReasoningMessageStart
    | ReasoningMessageContent
    | ReasoningMessageEnd
    | ReasoningMessageChunk
    | ReasoningEncryptedValue
    | StepStarted
    | StepFinished
    | SubagentStarted
    | SubagentFinished
    | SubagentError
    | StateSnapshot
    | StateDelta
    | MessagesSnapshot
    | ActivitySnapshot
    | ActivityDelta
    | RawEvent
    | Custom
    | OldThinking
)


def name_of(event: Said) -> str:
    """The type of an event, as it stands in the message."""
    return str(event.__struct_config__.tag)


def type_names() -> frozenset[str]:
    """The types that this protocol knows."""
    return frozenset(str(cls.__struct_config__.tag) for cls in get_args(AnyEvent))
