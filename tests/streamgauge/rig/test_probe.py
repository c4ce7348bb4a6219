"""What it takes for a server to be a target."""

import json
import socket
import threading
import time

import pytest
from websockets.frames import Frame, Opcode

from streamgauge.core.event import Event
from streamgauge.protocol import PROTOCOLS
from streamgauge.protocol.native import Native, NativeReader
from streamgauge.rig.probe import ProbeError, probe
from tests.support.probed import (
    GREETING,
    TIMEOUT_S,
    TOKEN,
    Behaviour,
    Serve,
    accept,
    http,
    reset,
    says,
    text,
    until_it_leaves,
)

# A protocol that greets


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
