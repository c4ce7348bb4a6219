"""What the native protocol's messages are understood to say, and what is said in it."""

import hashlib
import json
from typing import Any

import pytest
from msgspec.structs import asdict

from streamgauge.core.contract import Rule
from streamgauge.core.event import Event, Kind
from streamgauge.protocol import PROTOCOLS, Request
from streamgauge.protocol.native import NATIVE, NativeReader
from tests.support.native_messages import OTHERS, SAID, Message, event, other, read

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


@pytest.mark.parametrize(("error", "cut"), [("run_lost", True), ("timeout", False), ("cancelled", False)])
def test_only_a_lost_run_may_leave_tools_open(error: str, cut: bool) -> None:
    assert read(event("agent_error", error_type=error)).cut is cut


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


def test_a_pong_tells_the_time_by_the_clock_of_the_greeting() -> None:
    reader = NATIVE.reader()
    reader.read(
        json.dumps({"type": "connection_established", "payload": {"user_id": "u1", "clock_id": "k"}}).encode()
    )
    sent = json.loads(NATIVE.ping(5))
    assert sent == {"type": "ping", "payload": {"client_ns": 5}}
    event, _ = reader.read(json.dumps({"type": "pong", "payload": {"client_ns": 5, "server_ns": 9}}).encode())
    assert (event.request, event.emitted_ns, event.clock) == ("5", 9, "k")
