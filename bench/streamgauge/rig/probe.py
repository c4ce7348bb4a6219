"""One connection, opened, and greeted where the protocol greets, before a run opens thousands."""

import contextlib
import socket
import time
from typing import Final

from streamgauge.core.event import Kind
from streamgauge.plan import PlanError
from streamgauge.protocol import Dialect
from streamgauge.protocol.dialect import Unreadable
from streamgauge.report.redact import redacted
from streamgauge.rig.connect import connect, speaks_tls
from streamgauge.wire import ClientSession, State, TlsError

_MOST_SHOWN: Final = 500  # characters: a part of them may be the server's


class ProbeError(ConnectionError):
    """The target cannot be used; the text says what it did and what to do."""

    def __init__(self, target: str, what: str) -> None:
        super().__init__(redacted(f"{target}: {what}", _MOST_SHOWN))


def probe(target: str, dialect: Dialect, token: str, timeout_s: float, ca_file: str = "") -> None:
    """Connect to `target` as the owner of `token`, wait for the greeting if there is to be one, leave.

    Raises `ProbeError`.
    """
    try:
        sock = connect(target, ca_file, timeout_s)
    except (TlsError, PlanError) as error:
        raise ProbeError(target, str(error)) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise ProbeError(
            target, f"cannot connect ({reason}); is the server up, and the port right?"
        ) from error
    with sock:
        session = ClientSession(target, headers=dialect.login(token))
        awaited = "greeting" if dialect.greets else "handshake"
        try:
            sock.sendall(session.open())
            message = _first_message(sock, session, time.monotonic() + timeout_s, greets=dialect.greets)
        except TimeoutError as error:
            raise ProbeError(target, f"no {awaited} within {timeout_s:g} s; is it a WebSocket?") from error
        except OSError as error:
            _require_no_tls(target, timeout_s)
            reason = error.strerror or str(error)
            raise ProbeError(target, f"no {awaited} ({reason}); is it a WebSocket?") from error
        if message is None and session.refusal is None:
            _require_no_tls(target, timeout_s)
        if message is None:
            raise ProbeError(target, _refused(session))
        if dialect.greets:
            _require_greeting(message, target, dialect)
        if session.state is State.OPEN:
            with contextlib.suppress(OSError):  # it may have left before us
                sock.sendall(session.close())


def _require_no_tls(target: str, timeout_s: float) -> None:
    """A server that speaks TLS only hangs up at plain words, and does not say why."""
    if target.startswith("ws://") and speaks_tls(target, timeout_s):
        raise ProbeError(target, "it speaks TLS there; is the target wss:// and not ws://?")


def _require_greeting(message: bytes, target: str, dialect: Dialect) -> None:
    try:
        event, _ = dialect.reader().read(message)
    except Unreadable as error:
        raise ProbeError(
            target, f"its first message is not of the protocol {dialect.name!r} ({error})"
        ) from error
    if event.kind != Kind.GREETING:
        raise ProbeError(target, f"its first message is no greeting of the protocol {dialect.name!r}")


def _first_message(
    sock: socket.socket, session: ClientSession, deadline: float, *, greets: bool
) -> bytes | None:
    """The first message, b"" where none is due; None where the server refuses, closes or breaks before it."""
    while session.state in (State.CONNECTING, State.OPEN) and not session.fault:
        left = deadline - time.monotonic()
        if left <= 0:  # also where the server never stops to ping
            raise TimeoutError
        sock.settimeout(left)
        data = sock.recv(65_536)
        if not data:
            session.receive_eof()
            return None
        for message in session.receive(data):
            return message if isinstance(message, bytes) else b""
        if session.state is State.OPEN and not greets:
            return b""
        if session.state is State.OPEN:
            sock.sendall(session.outgoing())
    return None


def _refused(session: ClientSession) -> str:
    refusal = session.refusal
    if refusal is None and session.close_code in (None, 1006):
        return f"no WebSocket ({session.fault or 'it hung up'}); is the path right?"
    if refusal is None:
        return f"closed with {session.close_code} before the greeting; is the secret the server's own?"
    said = f"HTTP {refusal.status} {refusal.reason}"
    if refusal.status in (401, 403):
        return f"refused the token ({said}); is the secret the server's own?"
    if refusal.status in (429, 503):
        return f"is full or draining ({said}); try later, or with fewer users"
    return f"no WebSocket there ({said}); is the path right?"
