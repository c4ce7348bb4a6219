from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from streamgauge.wire import ClientSession, MisuseError, Refusal, State

URI = "ws://example.test:8123/agents/stream?token=t0p-s3cret"
TRAILING = b"".join(
    [
        Frame(Opcode.TEXT, b"early").serialize(mask=False),
        Frame(Opcode.PING, b"?").serialize(mask=False),
        Frame(Opcode.TEXT, "später".encode() * 30).serialize(mask=False),
    ]
)
EARLY = [b"early", "später".encode() * 30]


def request_of(session: ClientSession, server: ServerProtocol) -> Request:
    server.receive_data(session.open())
    (request,) = server.events_received()
    assert isinstance(request, Request)
    return request


def test_the_request_names_the_resource_and_carries_the_headers() -> None:
    session = ClientSession(URI, headers={"Authorization": "Bearer x", "X-User": "7"})
    server = ServerProtocol()
    request = request_of(session, server)
    assert request.path == "/agents/stream?token=t0p-s3cret"
    assert request.headers["Host"] == "example.test:8123"
    assert request.headers["Authorization"] == "Bearer x"
    assert request.headers["X-User"] == "7"
    assert "Sec-WebSocket-Extensions" not in request.headers
    assert server.accept(request).status_code == 101
    assert session.state is State.CONNECTING


def test_every_session_has_a_key_of_its_own() -> None:
    assert ClientSession(URI).open() != ClientSession(URI).open()


def test_the_chosen_subprotocol_is_told() -> None:
    session = ClientSession(URI, subprotocols=["agents.v2", "agents.v1"])
    server = ServerProtocol(subprotocols=[Subprotocol("agents.v1")])
    server.send_response(server.accept(request_of(session, server)))
    session.receive(b"".join(server.data_to_send()))
    assert session.state is State.OPEN
    assert session.subprotocol == "agents.v1"


def test_frames_behind_the_answer_belong_to_the_stream_wherever_the_bytes_are_split(
    accept: Callable[[ClientSession], bytes],
) -> None:
    for cut in range(len(accept(ClientSession(URI))) + len(TRAILING) + 1):
        session = ClientSession(URI)
        data = accept(session) + TRAILING
        messages = session.receive(data[:cut]) + session.receive(data[cut:])
        assert messages == EARLY, cut
        assert session.state is State.OPEN
        assert len(session.outgoing()) == 2 + 4 + 1


def test_the_answer_may_come_byte_by_byte(accept: Callable[[ClientSession], bytes]) -> None:
    session = ClientSession(URI)
    messages = [message for byte in accept(session) + TRAILING for message in session.receive(bytes([byte]))]
    assert messages == EARLY


@pytest.mark.parametrize("chunk", [1, 7, 1000])
@pytest.mark.parametrize(
    ("status", "reason", "extra", "retry_after"),
    [
        (401, "Unauthorized", "WWW-Authenticate: Bearer\r\n", None),
        (403, "Forbidden", "", None),
        (429, "Too Many Requests", "Retry-After: 17\r\n", 17),
        (503, "Service Unavailable", "Retry-After: 0\r\n", 0),
        (503, "Service Unavailable", "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n", None),
        (503, "Service Unavailable", "Retry-After: -1\r\n", None),
        (503, "Service Unavailable", f"Retry-After: {'9' * 5000}\r\n", None),
        (503, "Service Unavailable", "Retry-After: 1\r\nRetry-After: 2\r\n", None),
        (302, "Found", "Location: /elsewhere\r\n", None),
        (200, "OK", "", None),
    ],
)
def test_another_status_is_a_refusal(
    status: int, reason: str, extra: str, retry_after: int | None, chunk: int
) -> None:
    body = "not nów\n".encode()
    answer = f"HTTP/1.1 {status} {reason}\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode() + body
    session = ClientSession(URI)
    for start in range(0, len(answer), chunk):
        assert session.refusal is None
        assert session.receive(answer[start : start + chunk]) == []
    assert session.refusal == Refusal(status, reason, retry_after, "not nów\n")
    assert session.state is State.CLOSED
    assert (session.close_code, session.close_reason, session.fault) == (1006, "", None)


def test_nothing_is_delivered_after_a_refusal() -> None:
    session = ClientSession(URI)
    assert session.receive(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n" + TRAILING) == []
    assert session.receive(TRAILING) == []
    assert session.outgoing() == b""


def test_a_chunked_body_is_read() -> None:
    session = ClientSession(URI)
    session.receive(
        b"HTTP/1.1 429 Slow\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nslow\r\n5\r\n down\r\n0\r\n\r\n"
    )
    assert session.refusal == Refusal(429, "Slow", None, "slow down")


def test_a_body_without_a_length_ends_with_the_stream() -> None:
    session = ClientSession(URI)
    session.receive(b"HTTP/1.1 503 Busy\r\nRetry-After: 3\r\n\r\nbusy")
    assert (session.state, session.refusal) == (State.CONNECTING, None)
    session.receive_eof()
    assert session.refusal == Refusal(503, "Busy", 3, "busy")
    assert session.state is State.CLOSED


def test_a_long_body_is_cut() -> None:
    session = ClientSession(URI)
    session.receive(b"HTTP/1.1 500 Oh\r\nContent-Length: 5000\r\n\r\n" + b"\xff" * 5000)
    assert session.refusal == Refusal(500, "Oh", None, "\ufffd" * 200)


SWITCHING = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (
            SWITCHING + "Sec-WebSocket-Accept: bm90IHRoZSBrZXk=\r\n\r\n",
            "invalid Sec-WebSocket-Accept header: bm90IHRoZSBrZXk=",
        ),
        (SWITCHING + "\r\n", "missing Sec-WebSocket-Accept header"),
        ("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n", "missing Upgrade header"),
        ("SSH-2.0-OpenSSH_9.6\r\n", "did not receive a valid HTTP response: invalid HTTP status line: SSH"),
        ("HTTP/1.0 200 OK\r\n", "did not receive a valid HTTP response: unsupported protocol"),
        ("+PONG\n", "did not receive a valid HTTP response: connection closed"),
        ("HTTP/1.1 101 \u00fc\r\nno colon\r\n", "did not receive a valid HTTP response: invalid HTTP header"),
        ("x" * 5000 + "\r\n", "did not receive a valid HTTP response: invalid HTTP status line: xxx"),
        ("x" * 9000, "read 9"),
    ],
)
def test_an_answer_that_is_no_handshake_is_the_servers_fault(answer: str, fault: str) -> None:
    session = ClientSession(URI)
    assert session.receive(answer.encode() + TRAILING) == []
    assert session.fault is not None
    assert session.fault.startswith(fault)
    assert len(session.fault) <= 200
    assert session.refusal is None
    assert session.state is State.CLOSED
    assert session.close_code == 1006
    assert session.receive(TRAILING) == []


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        (b"Sec-WebSocket-Extensions: permessage-deflate", "no extensions supported"),
        (b"Sec-WebSocket-Protocol: chat", "no subprotocols supported"),
    ],
)
def test_what_was_not_offered_must_not_be_chosen(
    accept: Callable[[ClientSession], bytes], header: bytes, fault: str
) -> None:
    session = ClientSession(URI)
    session.receive(accept(session).removesuffix(b"\r\n") + header + b"\r\n\r\n")
    assert session.fault == fault
    assert session.state is State.CLOSED


def test_a_stream_that_ends_in_the_handshake_is_closed_and_nobodys_fault(
    accept: Callable[[ClientSession], bytes],
) -> None:
    for cut in range(len(accept(ClientSession(URI)))):
        session = ClientSession(URI)
        session.receive(accept(session)[:cut])
        assert (session.state, session.fault) == (State.CONNECTING, None)
        session.receive_eof()
        assert session.state is State.CLOSED
        assert (session.close_code, session.fault, session.refusal) == (1006, None, None)


@settings(deadline=None, max_examples=200)
@given(
    changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=3),
    cuts=st.lists(st.integers(0, 200), max_size=4),
)
def test_a_garbled_answer_is_judged_as_websockets_judges_it(
    accept: Callable[[ClientSession], bytes], changes: list[tuple[int, int]], cuts: list[int]
) -> None:
    session = ClientSession(URI)
    assert session._handshake is not None
    judge = ClientProtocol(parse_uri(URI))
    judge.key = session._handshake._protocol.key
    answer = bytearray(accept(session))
    for position, value in changes:
        answer[position % len(answer)] = value

    judge.receive_data(bytes(answer))
    for start, end in pairwise([0, *sorted(cuts), len(answer)]):
        session.receive(bytes(answer[start:end]))
    accepted = judge.state is not State.CONNECTING
    waiting = not accepted and judge.handshake_exc is None
    refused = isinstance(judge.handshake_exc, InvalidStatus)
    assert (session.state is State.CONNECTING) == waiting
    assert (session.refusal is not None) == refused
    if accepted:
        assert session.state is judge.state
    elif not waiting:
        assert session.state is State.CLOSED
        assert (session.fault is None) == refused


@pytest.mark.parametrize(
    "uri", ["http://example.test/?token=t0p", "ws:///?token=t0p", "ws://h/?token=t0p#here"]
)
def test_a_useless_address_is_refused_without_repeating_it(uri: str) -> None:
    with pytest.raises(MisuseError, match="not a usable WebSocket address") as error:
        ClientSession(uri)
    assert "t0p" not in str(error.value)


def test_a_header_cannot_smuggle_in_another_one() -> None:
    with pytest.raises(MisuseError, match="not a usable value for the header X-User") as error:
        ClientSession(URI, headers={"X-User": "t0p\r\nX-Admin: yes"})
    assert "t0p" not in str(error.value)


def test_a_session_is_opened_once(accept: Callable[[ClientSession], bytes]) -> None:
    session = ClientSession(URI)
    session.receive(accept(session))
    with pytest.raises(MisuseError, match="the handshake is over"):
        session.open()
