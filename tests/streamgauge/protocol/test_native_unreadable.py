"""What cannot be understood as a message of the native protocol, and that no reason quotes it."""

import json

import pytest

from streamgauge.protocol import Unreadable
from tests.support.native_messages import ENVELOPE, OTHERS, SAID, Message, event, other, read

SECRET = "Tr0ub4dor"
REQUIRED = {
    **{kind: {*ENVELOPE, "payload"} - {"timestamp"} for kind in SAID},
    **{kind: {"payload"} for kind in ("connection_established", "run_accepted", "run_report", "error")},
}
REQUIRED_INSIDE = {
    "agent_started": {"request_id", "context"},
    "agent_thinking": {"source"},
    "tool_executing": {"tool_call_id"},
    "tool_completed": {"tool_call_id", "status"},
    "partial_result": {"index", "delta"},
    "agent_completed": {"request_id", "context", "answer_sha256"},
    "agent_error": {"request_id", "context", "error_type"},
    "connection_established": {"user_id", "clock_id"},
    "run_accepted": {"request_id", "run_id", "thread_id"},
    "run_report": {"run_id", "execution_ns", "emission_ns", "events"},
    "error": {"code"},
}


def unreadable(message: Message | bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        read(message)
    return str(caught.value)


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind in REQUIRED for field in REQUIRED[kind]])
def test_a_message_may_not_lack_what_it_needs(kind: str, field: str) -> None:
    message = event(kind) if kind in SAID else other(kind)
    del message[field]
    assert unreadable(message) == f"{kind}: Object missing required field `{field}`"


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind in REQUIRED_INSIDE for field in REQUIRED_INSIDE[kind]]
)
def test_a_payload_may_not_lack_what_it_needs(kind: str, field: str) -> None:
    message = event(kind) if kind in SAID else other(kind)
    message["payload"] = {name: value for name, value in message["payload"].items() if name != field}
    assert unreadable(message) == f"{kind}: Object missing required field `{field}` - at `$.payload`"


def test_a_pipelines_thought_may_not_lack_its_step() -> None:
    message = event("agent_thinking")
    del message["payload"]["step_number"]
    assert "step_number other than 1, 2, 3" in unreadable(message)


@pytest.mark.parametrize(
    "message",
    [
        event("agent_thinking", step_number=4),
        event("agent_thinking", step_number=None),
        event("agent_thinking", step_number="2"),
        event("agent_thinking", source="somebody"),
        event("agent_thinking", step_number=2**63, source="agent"),
        event("tool_executing", tool_call_id=""),
        event("tool_executing", run_id=""),
        event("tool_executing", run_id=5),
        event("tool_executing", user_id=None),
        event("tool_executing", seq=0),
        event("tool_executing", seq="2"),
        event("tool_executing", seq=2.5),
        event("tool_executing", seq=True),
        event("tool_executing", seq=2**63),
        event("tool_executing", offset=-1),
        event("tool_executing", offset=10**30),
        event("tool_executing", emitted_ns=-1),
        event("tool_executing", emitted_ns=2**63),
        event("tool_executing", emitted_ns=1.0),
        event("tool_completed", status="fine"),
        event("partial_result", index=-1),
        event("partial_result", index=2**64),
        event("partial_result", delta=["x"]),
        event("agent_error", error_type=""),
        {"type": "connection_established", "payload": {"user_id": "", "clock_id": "c"}},
        {"type": "error", "payload": {"code": "x", "request_id": None}},
    ],
)
def test_a_field_may_not_hold_what_makes_no_sense(message: Message) -> None:
    assert unreadable(message).startswith(message["type"])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"{'type':'ack'}",
        b'{"type":"ack"} and more',
        b'{"type":"ack"}{"type":"ack"}',
        b'\xef\xbb\xbf{"type":"ack"}',
        b'{"type":"ack","payload":{"server_ns":NaN}}',
        b'{"type":"ack","payload":{"server_ns":Infinity}}',
        b'{"type":"ack","payload":{"server_ns":01}}',
        b'{"type":"ack","payload":{"a":"\n"}}',
        b'{"type":"never heard of","payload":{"a":NaN}}',
        b"NaN",
        b"null",
        b"5",
        b'"ack"',
        b"[]",
        b'[{"type":"ack"}]',
        b"{}",
        b'{"payload":{}}',
        b'{"type":null}',
        b'{"type":5}',
        b'{"type":"\xff"}',
        b'{"type":"error","payload":{"code":"\\ud800"}}',
        b'{"type":"ack","payload":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    ],
)
def test_what_is_no_json_object_with_a_type_is_unreadable(data: bytes) -> None:
    assert unreadable(data) == "not a JSON object with a type"


@pytest.mark.parametrize("field", ["request_id", "context"])
def test_text_that_is_no_utf_8_is_unreadable(field: str) -> None:
    data = json.dumps(event("agent_started", **{field: "HERE"})).encode()
    assert unreadable(data.replace(b"HERE", b"\xff\xfe")) == "agent_started: invalid UTF-8"


@pytest.mark.parametrize("number", [b"1e999", b"9" * 5000])
def test_a_context_that_cannot_be_held_is_unreadable(number: bytes) -> None:
    data = json.dumps(event("agent_started", context={"a": "HERE"})).encode()
    assert unreadable(data.replace(b'"HERE"', number)).startswith("agent_started: ")


def reason_of(data: bytes) -> str:
    try:
        read(data)
    except Unreadable as error:
        return str(error)
    return ""


@pytest.mark.parametrize("secret", [SECRET, f"it's {SECRET}", f"{SECRET}' - at `$.{SECRET}`", f"'{SECRET}'"])
@pytest.mark.parametrize("kind", [*SAID, *OTHERS])
def test_why_a_message_is_unreadable_quotes_nothing_of_it(kind: str, secret: str) -> None:
    good = event(kind) if kind in SAID else other(kind)
    planted: list[Message] = [{**good, name: secret} for name in good]
    planted += [{**good, name: {secret: secret}} for name in good]
    planted += [{**good, "payload": {**good["payload"], name: secret}} for name in good["payload"]]
    planted += [{**good, "payload": {**good["payload"], name: [secret]}} for name in good["payload"]]
    broken = [json.dumps(message).encode() for message in planted]
    broken += [json.dumps({"type": secret}).encode()[:-1] + b"," + data[1:] for data in broken]
    broken += [data[:-1] for data in broken] + [data.replace(b"T", b"\xff") for data in broken]
    reasons = [reason for data in broken if (reason := reason_of(data))]
    assert len(reasons) > len(broken) // 2
    assert "0ub4dor" not in "".join(reasons)
