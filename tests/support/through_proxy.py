"""A proxy under way, a server that says what it is told to, and a client that hears bytes."""

import json
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from streamgauge.protocol.login import mint_token
from streamgauge.wire import ClientSession, address_of
from tests.support.command import SECRET, TIMEOUT_S, Start, Started
from tests.support.server_stream import SWITCHED

PATIENCE_S = 20


class Proxied:
    """A proxy, as its users know it."""

    def __init__(self, started: Started) -> None:
        self.process = started.process
        assert self.process.stdout is not None
        self._said = self.process.stdout
        self.address: str = self.told()["listening"]

    def told(self) -> Any:
        """The next line that it tells."""
        return json.loads(self._said.readline())

    def counts(self) -> Any:
        """What it has done so far."""
        self.process.send_signal(signal.SIGUSR1)
        return self.told()

    def end(self) -> Any:
        """Ctrl-C, and its last line."""
        self.process.send_signal(signal.SIGINT)
        last = self.told()
        assert self.process.wait(PATIENCE_S) == 0
        return last


def proxied(start: Start, target: str, *flags: str) -> Proxied:
    """A proxy in front of the target, with these faults."""
    return Proxied(start("streamgauge", "proxy", "--target", target, *flags))


@contextmanager
def canned_server(*pieces: bytes, stays: bool = False) -> Iterator[tuple[str, list[int]]]:
    """Says these pieces to everybody, and hangs up unless it `stays`; yields its address and what it sent."""
    sent: list[int] = []

    def speak(client: socket.socket) -> None:
        with client:
            try:
                client.recv(65_536)
                for piece in (SWITCHED, *pieces):
                    client.sendall(piece)
                    sent.append(len(piece))
                if stays:
                    client.recv(65_536)
            except OSError:
                return

    def serve() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            client.settimeout(TIMEOUT_S)
            threading.Thread(target=speak, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        yield f"ws://127.0.0.1:{listening.getsockname()[1]}/", sent
        listening.shutdown(socket.SHUT_RDWR)


class Client:
    """Asks the reference server once, and hears bytes."""

    def __init__(self, address: str, user: str = "ann") -> None:
        where = address_of(address)
        self.socket = socket.create_connection((where.host, where.port), PATIENCE_S)
        token = mint_token(user, SECRET, 2e9)
        self.session = ClientSession(address, headers={"Authorization": f"Bearer {token}"})
        self.socket.sendall(self.session.open())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self) -> None:
        """Read until greeted, and ask."""
        while not self.session.receive(self.socket.recv(65_536)):
            pass
        said = {"type": "start_agent", "payload": {"user_request": "why?", "request_id": "q1"}}
        self.socket.sendall(self.session.send_text(json.dumps(said).encode()))

    def hear(self, within_s: float = PATIENCE_S) -> bytes:
        """All bytes until the end of the stream; raises `TimeoutError` where it does not end."""
        heard = bytearray()
        self.socket.settimeout(within_s)
        while data := self.socket.recv(65_536):
            heard += data
        return bytes(heard)
