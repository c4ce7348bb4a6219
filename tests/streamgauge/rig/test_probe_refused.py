"""Of what is no target it is said why, and what to do: never at length, and without the token."""

import json
import socket
import time
from contextlib import suppress

import pytest
from websockets.frames import Close, Frame, Opcode

from streamgauge.protocol import PROTOCOLS
from streamgauge.protocol.login import Login
from streamgauge.protocol.native import Native
from streamgauge.rig.probe import ProbeError, probe
from tests.support.probed import (
    TIMEOUT_S,
    TOKEN,
    Behaviour,
    Serve,
    accept,
    answers,
    http,
    reset,
    says,
    text,
    until_it_leaves,
)


def refused(address: str) -> str:
    """What the probe says, without the address."""
    with pytest.raises(ProbeError) as error:
        probe(address, PROTOCOLS["native"], TOKEN, TIMEOUT_S)
    said = str(error.value)
    assert said.startswith(f"{address}: ")
    assert TOKEN[:20] not in said
    return said.removeprefix(f"{address}: ")


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


def test_the_reason_of_its_close_is_no_message_however_long(serve: Serve) -> None:
    closing_frame = Frame(Opcode.CLOSE, Close(1008, "who? " * 20).serialize()).serialize(mask=False)
    assert refused(serve(says(closing_frame))).startswith("closed with 1008 before the greeting; ")


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
