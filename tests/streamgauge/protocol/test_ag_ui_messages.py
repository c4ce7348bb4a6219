import msgspec
import pytest

from streamgauge.protocol.ag_ui_messages import AnyEvent, name_of, type_names
from tests.support.ag_ui import Message, began, erred, finished, recorded_sse, recorded_websocket, said

# of ag-ui-protocol 1.0.0: every type, with the fields that it may not lack
REQUIRED: dict[str, Message] = {
    "RUN_STARTED": {"runId": "r", "threadId": "t"},
    "RUN_FINISHED": {"runId": "r", "threadId": "t"},
    "RUN_ERROR": {"message": "oh"},
    "TEXT_MESSAGE_START": {"messageId": "m"},
    "TEXT_MESSAGE_CONTENT": {"messageId": "m", "delta": ""},
    "TEXT_MESSAGE_END": {"messageId": "m"},
    "TEXT_MESSAGE_CHUNK": {},
    "TOOL_CALL_START": {"toolCallId": "c", "toolCallName": "look"},
    "TOOL_CALL_ARGS": {"toolCallId": "c", "delta": ""},
    "TOOL_CALL_END": {"toolCallId": "c"},
    "TOOL_CALL_CHUNK": {},
    "TOOL_CALL_RESULT": {"toolCallId": "c", "messageId": "m", "content": ""},
    "REASONING_START": {"messageId": "m"},
    "REASONING_MESSAGE_START": {"messageId": "m"},
    "REASONING_MESSAGE_CONTENT": {"messageId": "m", "delta": ""},
    "REASONING_MESSAGE_END": {"messageId": "m"},
    "REASONING_MESSAGE_CHUNK": {},
    "REASONING_END": {"messageId": "m"},
    "REASONING_ENCRYPTED_VALUE": {"subtype": "tool-call", "entityId": "c", "encryptedValue": "x"},
    "STEP_STARTED": {"stepName": "s"},
    "STEP_FINISHED": {"stepName": "s"},
    "SUBAGENT_STARTED": {"subagentRunId": "s", "name": "helper"},
    "SUBAGENT_FINISHED": {"subagentRunId": "s"},
    "SUBAGENT_ERROR": {"subagentRunId": "s", "message": "oh"},
    "STATE_SNAPSHOT": {"snapshot": None},
    "STATE_DELTA": {"delta": []},
    "MESSAGES_SNAPSHOT": {"messages": []},
    "ACTIVITY_SNAPSHOT": {"messageId": "m", "activityType": "plan", "content": {}},
    "ACTIVITY_DELTA": {"messageId": "m", "activityType": "plan", "patch": []},
    "RAW": {"event": None},
    "CUSTOM": {"name": "mood", "value": None},
}
OLD = {"START", "END", "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END"}


def decoded(message: Message) -> AnyEvent:
    event: AnyEvent = msgspec.json.decode(msgspec.json.encode(message), type=AnyEvent)
    return event


def test_every_type_of_the_protocol_is_known() -> None:
    assert type_names() == REQUIRED.keys() | {f"THINKING_{name}" for name in OLD}
    assert len(REQUIRED) == 31


@pytest.mark.parametrize("kind", REQUIRED)
def test_an_event_with_what_it_may_not_lack_is_one(kind: str) -> None:
    event = decoded(said(kind, **REQUIRED[kind], metadata={"a": 1}, timestamp=-5))
    assert name_of(event) == kind


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind, fields in REQUIRED.items() for field in fields]
)
def test_an_event_without_it_is_none(kind: str, field: str) -> None:
    fields = {name: value for name, value in REQUIRED[kind].items() if name != field}
    with pytest.raises(msgspec.ValidationError, match=f"missing required field `{field}`"):
        decoded(said(kind, **fields))


@pytest.mark.parametrize("timestamp", [2**53, -(2**53), "now", 1.5])
def test_a_timestamp_is_an_integer_that_survives_json(timestamp: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        decoded(began() | {"timestamp": timestamp})


@pytest.mark.parametrize(
    "message",
    [
        *recorded_websocket(),
        *recorded_sse(),
        erred(code=None, timestamp=None),
        finished(outcome={"type": "later"}),  # read as success
    ],
)
def test_what_servers_say_is_read(message: Message) -> None:
    assert name_of(decoded(message)) == message["type"]
