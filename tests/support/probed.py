"""What a server does to the one client that probes it."""

import socket
import struct
from collections.abc import Callable

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"
GREETING = b'{"type":"connection_established","payload":{"user_id":"probe","clock_id":"c"}}'
TIMEOUT_S = 0.5
Behaviour = Callable[[socket.socket], None]
Serve = Callable[[Behaviour], str]


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


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
