"""One connection, opened and greeted, before a run opens thousands."""

import socket
import time
from urllib.parse import urlsplit

from streamgauge.core.event import Kind
from streamgauge.protocol import Dialect
from streamgauge.protocol.dialect import Unreadable
from streamgauge.wire import ClientSession, State


class ProbeError(ConnectionError):
    """The target cannot be used; the text says what it did and what to do."""


def probe(target: str, dialect: Dialect, token: str, timeout_s: float) -> None:
    """Connect to `target` as the owner of `token`, wait for the greeting, leave.

    Raises `ProbeError`.
    """
    url = urlsplit(target)
    host, port = url.hostname or "", url.port or 80
    try:
        sock = socket.create_connection((host, port), timeout_s)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ProbeError(
            f"{target}: cannot connect ({reason}); is the server up, and the port right?"
        ) from error
    with sock:
        session = ClientSession(target, headers=dialect.login(token))
        try:
            sock.sendall(session.open())
            message = _first_message(sock, session, time.monotonic() + timeout_s)
        except OSError as error:
            raise ProbeError(f"{target}: no greeting within {timeout_s:g} s; is it a WebSocket?") from error
        if message is None:
            raise ProbeError(f"{target}: {_refused(session)}")
        try:
            event, _ = dialect.reader().read(message)
        except Unreadable as error:
            raise ProbeError(
                f"{target}: its first message is not of the protocol {dialect.name!r} ({error})"
            ) from error
        if event.kind != Kind.GREETING:
            raise ProbeError(f"{target}: its first message is no greeting of the protocol {dialect.name!r}")
        if session.state is State.OPEN:
            sock.sendall(session.close())


def _first_message(sock: socket.socket, session: ClientSession, deadline: float) -> bytes | None:
    while session.state is not State.CLOSED and not session.fault:
        sock.settimeout(max(0.001, deadline - time.monotonic()))
        data = sock.recv(65_536)
        if not data:
            session.receive_eof()
            return None
        for message in session.receive(data):
            return message if isinstance(message, bytes) else b""
    return None


def _refused(session: ClientSession) -> str:
    refusal = session.refusal
    if refusal is None:
        fault = session.fault or f"closed with {session.close_code} before the greeting"
        return f"no WebSocket ({fault}); is the path right?"
    said = f"HTTP {refusal.status} {refusal.reason}"
    if refusal.status in (401, 403):
        return f"refused the token ({said}); is the secret the server's own?"
    if refusal.status in (429, 503):
        return f"is full or draining ({said}); try later, or with fewer users"
    return f"no WebSocket there ({said}); is the path right?"
