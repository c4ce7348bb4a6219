import hashlib
import json
from typing import Any

import pytest
from msgspec.structs import asdict

from streamgauge.core.contract import Rule
from streamgauge.core.event import Account, Event, Kind
from streamgauge.protocol import PROTOCOLS, Request, Unreadable
from streamgauge.protocol.dialect import context_digest
from streamgauge.protocol.native import NATIVE, NativeReader

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


def unreadable(message: Message | bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        read(message)
    return str(caught.value)


# What is understood


@pytest.mark.parametrize("kind", SAID)
def test_an_event_of_a_run_is_its_envelope_and_what_its_payload_says(kind: str) -> None:
    known = asdict(read(event(kind)))
    envelope: Message = {
        "user": "u1",
        "run": "r-1",
        "thread": "t-1",
        "agent": "optimizer",
        "seq": 2,
        "offset": 41,
        "emitted_ns": 123456,
    }
    assert known == asdict(Event(**envelope, **SAID[kind][1]))


@pytest.mark.parametrize("kind", OTHERS)
def test_another_message_is_what_its_payload_says(kind: str) -> None:
    assert read(other(kind)) == OTHERS[kind][1]


def test_an_agents_thought_may_have_any_number_or_none() -> None:
    for step, known in ((7, 7), (-1, -1), (0, 0), (None, 0)):
        thought = read(event("agent_thinking", source="agent", step_number=step))
        assert (thought.pipeline, thought.step) == (False, known)
    message = event("agent_thinking", source="agent")
    del message["payload"]["step_number"]
    assert read(message).step == 0


@pytest.mark.parametrize("status", ["success", "error", "timeout", "cancelled"])
def test_a_tool_ends_in_one_of_four_ways(status: str) -> None:
    assert read(event("tool_completed", status=status)).status == status


def test_an_error_may_name_no_request() -> None:
    assert read({"type": "error", "payload": {"code": "busy"}}) == Event(Kind.REFUSED, status="busy")


def test_a_context_is_the_same_whatever_the_order_of_its_keys() -> None:
    contexts: list[Message] = [{"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}, {"a": 1}]
    one, two, three = (read(event("agent_started", context=context)).context for context in contexts)
    assert one == two != three


def test_an_events_clock_is_its_own_or_the_greetings() -> None:
    reader = NativeReader()
    assert read(event("tool_executing"), reader).clock == ""
    read(other("connection_established"), reader)
    assert read(event("tool_executing"), reader).clock == "boot"
    assert read(event("tool_executing", clock_id="elsewhere"), reader).clock == "elsewhere"


@pytest.mark.parametrize("message", [*map(event, SAID), *map(other, OTHERS)], ids=[*SAID, *OTHERS])
def test_fields_that_are_not_known_are_ignored(message: Message) -> None:
    news = {"weather": {"is": ["fine", None, 1.5]}}
    assert read({**message, "payload": message["payload"] | news, **news}) == read(message)


@pytest.mark.parametrize("payload", [{}, {"run_id": 5}, [1], None, "text"])
def test_types_that_are_not_known_are_ignored(payload: Any) -> None:
    assert read({"type": "agent_dancing", "payload": payload}) == Event(Kind.OTHER)
    assert read({"payload": payload, "type": ""}) == Event(Kind.OTHER)


def test_of_duplicate_keys_the_last_wins() -> None:
    assert read(b'{"type":"error","payload":{"code":"a","code":"b"}}').status == "b"


# Deltas


def delta(index: int, text: str, run: str = "r-1") -> Message:
    return event("partial_result", run_id=run, index=index, delta=text)


@pytest.mark.parametrize("end", ["agent_completed", "agent_error"])
def test_at_the_end_of_a_run_its_deltas_are_joined_by_index_and_handed_out(end: str) -> None:
    reader = NativeReader()
    for message in (delta(1, "zwei"), delta(0, "öin"), delta(0, "other", "r-2"), delta(2, "")):
        assert reader.read(json.dumps(message).encode())[1] == b""
    ending, text = reader.read(json.dumps(event(end)).encode())
    assert text == "öinzwei".encode()
    assert ending.joined == hashlib.sha256(text).hexdigest()
    assert read(event(end), reader).joined == ""  # they are told once
    assert read(event(end, run_id="r-2"), reader).joined == hashlib.sha256(b"other").hexdigest()


def test_a_run_without_deltas_joins_to_nothing() -> None:
    assert NativeReader().read(json.dumps(event("agent_completed")).encode())[1] == b""
    assert read(event("agent_completed")).joined == ""


# What is not understood

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


SECRET = "Tr0ub4dor"


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


# What is said


def said(data: bytes) -> Any:
    return json.loads(data)


def test_a_request_says_everything_that_must_come_back() -> None:
    request = Request("do it", "q-1", "t-1", "optimizer", {"a": "1"})
    payload = {
        "user_request": "do it",
        "request_id": "q-1",
        "thread_id": "t-1",
        "agent_name": "optimizer",
        "context": {"a": "1"},
    }
    assert said(NATIVE.start(request)) == {"type": "start_agent", "payload": payload}


def test_a_request_has_options_only_where_some_are_wanted() -> None:
    request = Request("do it", "q-1", "t-1", "optimizer", {}, {"seed": 5})
    assert said(NATIVE.start(request))["payload"]["options"] == {"seed": 5}


def test_a_user_can_cancel_and_speak() -> None:
    assert said(NATIVE.cancel("r-1")) == {"type": "cancel_run", "payload": {"run_id": "r-1"}}
    assert said(NATIVE.say("r-1", "wait")) == {
        "type": "user_message",
        "payload": {"run_id": "r-1", "text": "wait"},
    }


def test_the_native_protocol_is_built_in_and_promises_every_rule() -> None:
    assert PROTOCOLS["native"] is NATIVE
    assert (NATIVE.name, NATIVE.promises) == ("native", frozenset(Rule))


def test_every_connection_has_a_reader_of_its_own() -> None:
    assert NATIVE.reader() is not NATIVE.reader()


@pytest.mark.parametrize(("error", "cut"), [("run_lost", True), ("timeout", False), ("cancelled", False)])
def test_only_a_lost_run_may_leave_tools_open(error: str, cut: bool) -> None:
    assert read(event("agent_error", error_type=error)).cut is cut


def test_a_pong_tells_the_time_by_the_clock_of_the_greeting() -> None:
    reader = NATIVE.reader()
    reader.read(
        json.dumps({"type": "connection_established", "payload": {"user_id": "u1", "clock_id": "k"}}).encode()
    )
    sent = json.loads(NATIVE.ping(5))
    assert sent == {"type": "ping", "payload": {"client_ns": 5}}
    event, _ = reader.read(json.dumps({"type": "pong", "payload": {"client_ns": 5, "server_ns": 9}}).encode())
    assert (event.request, event.emitted_ns, event.clock) == ("5", 9, "k")
