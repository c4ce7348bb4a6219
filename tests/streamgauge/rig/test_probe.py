import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from streamgauge.core.event import Event
from streamgauge.protocol import PROTOCOLS
from streamgauge.protocol.login import Login
from streamgauge.protocol.native import Native, NativeReader
from streamgauge.rig.probe import ProbeError, probe

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"
GREETING = b'{"type":"connection_established","payload":{"user_id":"probe","clock_id":"c"}}'
TIMEOUT_S = 0.5

Behaviour = Callable[[socket.socket], None]
Serve = Callable[[Behaviour], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that treats its one client so; its address."""
    threads: list[threading.Thread] = []
    broken: list[BaseException] = []

    def serve(behaviour: Behaviour) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]

        def run() -> None:
            try:
                with closing(listener):
                    client, _ = listener.accept()
                with client:
                    behaviour(client)
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test must know
                broken.append(error)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return f"ws://127.0.0.1:{port}/ws"

    yield serve
    for thread in threads:
        thread.join(10)
    assert not broken


def text(payload: bytes) -> bytes:
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


def accept(client: socket.socket) -> Request:
    server = ServerProtocol()
    server.receive_data(client.recv(65_536))
    (request,) = server.events_received()
    assert isinstance(request, Request)
    server.send_response(server.accept(request))
    client.sendall(b"".join(server.data_to_send()))
    return request


def until_it_leaves(client: socket.socket) -> bytes:
    received = b""
    while data := client.recv(65_536):
        received += data
    return received


def says(*frames: bytes) -> Behaviour:
    """Accepts, and says that; then listens."""

    def behaviour(client: socket.socket) -> None:
        accept(client)
        client.sendall(b"".join(frames))
        until_it_leaves(client)

    return behaviour


def answers(answer: bytes) -> Behaviour:
    """Answers the request with that, whatever it is, and hangs up."""

    def behaviour(client: socket.socket) -> None:
        client.recv(65_536)
        client.sendall(answer)

    return behaviour


def http(status: str) -> Behaviour:
    return answers(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())


def refused(address: str) -> str:
    """What the probe says, without the address."""
    with pytest.raises(ProbeError) as error:
        probe(address, PROTOCOLS["native"], TOKEN, TIMEOUT_S)
    said = str(error.value)
    assert said.startswith(f"{address}: ")
    assert TOKEN[:20] not in said
    return said.removeprefix(f"{address}: ")


# What it takes for a target


def test_a_server_that_greets_is_left_in_good_order(serve: Serve) -> None:
    seen: list[object] = []

    def greets(client: socket.socket) -> None:
        request = accept(client)
        client.sendall(text(GREETING))
        seen.extend([request.path, request.headers["Authorization"], until_it_leaves(client)[:2]])

    probe(serve(greets), PROTOCOLS["native"], TOKEN, TIMEOUT_S)
    time.sleep(0.05)
    assert seen == ["/ws", f"Bearer {TOKEN}", b"\x88\x82"]  # a masked close frame


@pytest.mark.parametrize("size", [1, 7])
def test_a_greeting_may_come_in_pieces_and_after_a_ping(serve: Serve, size: int) -> None:
    def dribbles(client: socket.socket) -> None:
        accept(client)
        frames = Frame(Opcode.PING, b"?").serialize(mask=False) + text(GREETING)
        for at in range(0, len(frames), size):
            client.sendall(frames[at : at + size])
            time.sleep(0.001)
        assert until_it_leaves(client)[:2] == b"\x8a\x81"  # the pong

    probe(serve(dribbles), PROTOCOLS["native"], TOKEN, 5)


def test_a_server_that_greets_and_hangs_up_is_a_target(serve: Serve) -> None:
    """It is gone when the probe would leave."""
    gone = threading.Event()

    class Unhurried(NativeReader):
        def read(self, message: bytes) -> tuple[Event, bytes]:
            assert gone.wait(5)
            return super().read(message)

    class Dialect(Native):
        def reader(self) -> NativeReader:
            return Unhurried()

    def greets(client: socket.socket) -> None:
        accept(client)
        client.sendall(text(GREETING))
        time.sleep(0.1)  # else the reset overtakes the greeting
        reset(client)
        gone.set()

    probe(serve(greets), Dialect(), TOKEN, TIMEOUT_S)


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


# What is none


def test_nobody_listens() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        address = f"ws://127.0.0.1:{sock.getsockname()[1]}/ws"
        said = refused(address)
    assert said == "cannot connect (Connection refused); is the server up, and the port right?"


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("401 Unauthorized", "refused the token (HTTP 401 Unauthorized); is the secret the server's own?"),
        ("403 Forbidden", "refused the token (HTTP 403 Forbidden); is the secret the server's own?"),
        (
            "503 Service Unavailable",
            "is full or draining (HTTP 503 Service Unavailable); try later, or with fewer users",
        ),
        ("429 Too Many", "is full or draining (HTTP 429 Too Many); try later, or with fewer users"),
        ("404 Not Found", "no WebSocket there (HTTP 404 Not Found); is the path right?"),
        ("200 OK", "no WebSocket there (HTTP 200 OK); is the path right?"),
        (
            f"401 Bad {TOKEN}",
            "refused the token (HTTP 401 Bad [redacted]); is the secret the server's own?",
        ),
    ],
)
def test_a_refusal_says_what_to_do(serve: Serve, status: str, says: str) -> None:
    assert refused(serve(http(status))) == says


def test_who_has_no_token_is_not_told_of_its_refusal(serve: Serve) -> None:
    with pytest.raises(ProbeError) as error:
        probe(serve(http("401 Unauthorized")), Native(), "", TIMEOUT_S, login=Login(kind="none"))
    assert str(error.value).endswith(
        "refused a user without a token (HTTP 401 Unauthorized); does it want a login? (login in the plan)"
    )


def test_a_server_that_speaks_no_http(serve: Serve) -> None:
    said = refused(serve(answers(b"220 mail.example.test ESMTP\r\n")))
    assert said.startswith("no WebSocket (did not receive a valid HTTP response")
    assert said.endswith("; is the path right?")


def test_a_server_that_repeats_the_token_instead(serve: Serve) -> None:
    said = refused(serve(answers(f"Authorization: Bearer {TOKEN}\r\n\r\n".encode())))
    assert said.startswith("no WebSocket (did not receive a valid HTTP response")


def test_a_server_that_hangs_up_at_once(serve: Serve) -> None:
    def hangs_up(client: socket.socket) -> None:
        client.recv(65_536)

    assert refused(serve(hangs_up)) == "no WebSocket (it hung up); is the path right?"


def test_a_server_that_resets_the_connection(serve: Serve) -> None:
    def resets(client: socket.socket) -> None:
        client.recv(10)
        reset(client)

    assert refused(serve(resets)) == "no greeting (Connection reset by peer); is it a WebSocket?"


def test_a_websocket_that_closes_before_its_greeting(serve: Serve) -> None:
    closing_frame = Frame(Opcode.CLOSE, Close(1008, "who?").serialize()).serialize(mask=False)
    began = time.monotonic()
    said = refused(serve(says(closing_frame)))
    assert said == "closed with 1008 before the greeting; is the secret the server's own?"
    assert time.monotonic() - began < TIMEOUT_S, "it need not wait"


@pytest.mark.parametrize(
    ("silent", "said"),
    [
        (until_it_leaves, "no greeting within 0.5 s; is it a WebSocket?"),
        (says(), "no greeting within 0.5 s; those of 'ag-ui' send none: is --protocol native right?"),
    ],
    ids=["to the request", "after it"],
)
def test_a_silent_server(serve: Serve, silent: Behaviour, said: str) -> None:
    began = time.monotonic()
    assert refused(serve(silent)) == said
    assert TIMEOUT_S <= time.monotonic() - began < 4 * TIMEOUT_S


def test_a_server_that_never_stops_to_say_nothing_is_not_waited_for(serve: Serve) -> None:
    pongs = Frame(Opcode.PONG, b"").serialize(mask=False) * 500_000  # many seconds of work, no message

    def babbles(client: socket.socket) -> None:
        accept(client)
        with suppress(ConnectionError):
            client.sendall(pongs)

    began = time.monotonic()
    assert refused(serve(babbles)).startswith("no greeting within 0.5 s; ")
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (text(b"hello"), "its first message is not of the protocol 'native' (not a JSON object with a type)"),
        (
            text(b'{"type":"connection_established","payload":{}}'),
            (
                "its first message is not of the protocol 'native' (connection_established: "
                "Object missing required field `user_id` - at `$.payload`)"
            ),
        ),
        (text(b'{"type":"heartbeat"}'), "its first message is no greeting of the protocol 'native'"),
        (text(b'{"type":"welcome"}'), "its first message is no greeting of the protocol 'native'"),
        (
            Frame(Opcode.BINARY, b"\0").serialize(mask=False),
            "its first message is not of the protocol 'native' (not a JSON object with a type)",
        ),
    ],
    ids=["no JSON", "a greeting that lacks something", "a heartbeat", "an unknown message", "binary"],
)
def test_a_wrong_first_message(serve: Serve, first: bytes, said: str) -> None:
    assert refused(serve(says(first))) == said


def test_a_first_message_is_never_quoted(serve: Serve) -> None:
    message = json.dumps({"type": "partial_result", "payload": {"delta": "private", "index": "private"}})
    assert "private" not in refused(serve(says(text(message.encode()))))


def test_a_first_frame_that_breaks_the_protocol(serve: Serve) -> None:
    said = refused(serve(says(b"\x81\x81\0\0\0\0x")))
    assert said == "no WebSocket (incorrect masking); is the path right?"


def test_a_message_is_never_long(serve: Serve) -> None:
    assert len(refused(serve(http("404 " + "x" * 8_000)))) < 600


# A protocol that does not greet


def test_without_a_greeting_the_handshake_is_enough(serve: Serve) -> None:
    seen: list[bytes] = []

    def listens(client: socket.socket) -> None:
        accept(client)
        seen.append(until_it_leaves(client)[:2])

    probe(serve(listens), PROTOCOLS["ag-ui"], TOKEN, TIMEOUT_S)
    time.sleep(0.05)
    assert seen == [b"\x88\x82"]  # a masked close frame


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (http("401 Unauthorized"), "refused the token (HTTP 401 Unauthorized)"),
        (until_it_leaves, "no handshake within 0.5 s"),
    ],
)
def test_without_a_handshake_there_is_no_target(serve: Serve, behaviour: Behaviour, says: str) -> None:
    with pytest.raises(ProbeError) as error:
        probe(serve(behaviour), PROTOCOLS["ag-ui"], TOKEN, TIMEOUT_S)
    assert says in str(error.value)


def test_a_server_that_greets_where_none_is_due_is_of_another_protocol(serve: Serve) -> None:
    def greets_late(client: socket.socket) -> None:
        accept(client)
        time.sleep(0.05)
        client.sendall(text(GREETING))
        until_it_leaves(client)

    for greeting in (says(text(GREETING)), greets_late):
        with pytest.raises(ProbeError, match="it greets as those of 'native' do; is --protocol ag-ui right"):
            probe(serve(greeting), PROTOCOLS["ag-ui"], TOKEN, 5)


# Measuring controls


def answers_the_request(*answers: dict[str, object]) -> Behaviour:
    """Greets, and answers whatever it is asked."""

    def behave(client: socket.socket) -> None:
        accept(client)
        client.sendall(text(GREETING))
        asked = client.recv(65_536)
        if asked[:1] == b"\x81":  # no close frame
            client.sendall(b"".join(text(json.dumps(answer).encode()) for answer in answers))
        until_it_leaves(client)

    return behave


def refusal(code: str) -> dict[str, object]:
    return {"type": "error", "payload": {"code": code, "message": "no", "request_id": "q-probe"}}


HEARTBEAT: dict[str, object] = {"type": "heartbeat", "payload": {"server_ns": 1}}
ACCEPTED: dict[str, object] = {
    "type": "run_accepted",
    "payload": {"request_id": "q-probe", "run_id": "r-1", "thread_id": "t-probe"},
}


def test_a_server_that_takes_no_scripts_is_said_to_want_its_controls(serve: Serve) -> None:
    address = serve(answers_the_request(HEARTBEAT, refusal("not_allowed")))
    with pytest.raises(ProbeError, match=r"it takes no scripts, which this plan needs: .* --measure"):
        probe(address, PROTOCOLS["native"], TOKEN, TIMEOUT_S, scripted="scripted")


@pytest.mark.parametrize("answers", [(ACCEPTED,), (refusal("unknown_agent"),), ()])
def test_what_else_it_answers_is_for_the_run_to_tell(
    serve: Serve, answers: tuple[dict[str, object], ...]
) -> None:
    probe(serve(answers_the_request(*answers)), PROTOCOLS["native"], TOKEN, TIMEOUT_S, scripted="scripted")


def test_who_is_not_to_be_asked_is_not(serve: Serve) -> None:
    probe(serve(answers_the_request(refusal("not_allowed"))), PROTOCOLS["native"], TOKEN, TIMEOUT_S)
