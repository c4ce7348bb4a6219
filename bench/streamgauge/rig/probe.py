"""One connection before a run opens thousands: greeted where the protocol greets, and asked once at need."""

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Final

from streamgauge.core.event import Kind
from streamgauge.plan import PlanError
from streamgauge.protocol import PROTOCOLS, Dialect, Request
from streamgauge.protocol.dialect import Unreadable
from streamgauge.protocol.login import Login, headers, subprotocols
from streamgauge.report.redact import redacted
from streamgauge.rig.connect import connect, speaks_tls
from streamgauge.wire import Aside, ClientSession, State, TlsError

_LISTEN_S: Final = 0.5  # who greets does so at once
_NOT_ALLOWED: Final = "not_allowed"  # the code of what needs measuring controls
_MOST_SHOWN: Final = 500  # characters: a part of them may be the server's


class ProbeError(ConnectionError):
    """The target cannot be used; the text says what it did and what to do."""

    def __init__(self, target: str, what: str) -> None:
        super().__init__(redacted(f"{target}: {what}", _MOST_SHOWN))


def probe(
    target: str,
    dialect: Dialect,
    token: str,
    timeout_s: float,
    ca_file: str = "",
    *,
    login: Login = Login(),  # noqa: B008 - frozen
    scripted: str = "",
) -> None:
    """Connect to `target` as the owner of `token`, wait for the greeting if there is to be one, leave.

    `scripted` is an agent that must take a script, as it does under measuring controls; "" asks
    for nothing. Raises `ProbeError`.
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
        session = ClientSession(
            target, headers=headers(login, token), subprotocols=subprotocols(login, token)
        )
        awaited = "greeting" if dialect.greets else "handshake"
        try:
            sock.sendall(session.open())
            message = _first_message(sock, session, time.monotonic() + timeout_s, greets=dialect.greets)
        except TimeoutError as error:
            told = "is it a WebSocket?"
            if session.state is State.OPEN:
                told = f"those of {_others(dialect)} send none: is --protocol {dialect.name} right?"
            raise ProbeError(target, f"no {awaited} within {timeout_s:g} s; {told}") from error
        except OSError as error:
            _require_no_tls(target, timeout_s)
            reason = error.strerror or str(error)
            raise ProbeError(target, f"no {awaited} ({reason}); is it a WebSocket?") from error
        if message is None and session.refusal is None:
            _require_no_tls(target, timeout_s)
        if message is None:
            raise ProbeError(target, _refused(session, login))
        if dialect.greets:
            _require_greeting(message, target, dialect)
        else:
            _require_no_greeting(message or next(_messages(sock, session, _LISTEN_S), b""), target, dialect)
        if scripted and dialect.accepts and session.state is State.OPEN:
            _require_control(sock, session, target, dialect, scripted, timeout_s)
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


def _require_no_greeting(message: bytes, target: str, dialect: Dialect) -> None:
    """A server that speaks first, before it was asked, is one of another protocol."""
    for other in PROTOCOLS.values():
        if message and other.greets and _kind(message, other) == Kind.GREETING:
            raise ProbeError(
                target, f"it greets as those of {other.name!r} do; is --protocol {dialect.name} right?"
            )


def _require_control(
    sock: socket.socket, session: ClientSession, target: str, dialect: Dialect, agent: str, timeout_s: float
) -> None:
    """Ask for the shortest script there is: a server without measuring controls does not allow it."""
    options = {"script": [{"do": "result"}], "seed": 1}
    request = Request("probe", "q-probe", "t-probe", agent, {}, options)
    with contextlib.suppress(OSError):  # it may leave at any time: the run will tell
        sock.sendall(session.send_text(dialect.start(request)))
    reader = dialect.reader()
    for message in _messages(sock, session, timeout_s):
        try:
            event, _ = reader.read(message)
        except Unreadable:
            return
        if event.kind == Kind.REFUSED and event.status == _NOT_ALLOWED:
            raise ProbeError(
                target,
                "it takes no scripts, which this plan needs: start it with --measure (measuring "
                "controls, docs/wire.md), or leave script and slice_runs out of the plan",
            )
        if event.kind in (Kind.ACCEPTED, Kind.REFUSED):
            return


def _kind(message: bytes, dialect: Dialect) -> int:
    try:
        event, _ = dialect.reader().read(message)
    except Unreadable:
        return Kind.OTHER
    return event.kind


def _others(dialect: Dialect) -> str:
    """The protocols that do not greet where this one does."""
    return " and ".join(repr(other.name) for other in PROTOCOLS.values() if other.greets != dialect.greets)


def _messages(sock: socket.socket, session: ClientSession, within_s: float) -> Iterator[bytes]:
    """The messages that come in time, unless none can."""
    deadline = time.monotonic() + within_s
    with contextlib.suppress(OSError):
        while session.state is State.OPEN and (left := deadline - time.monotonic()) > 0:
            sock.settimeout(left)
            data = sock.recv(65_536)
            if not data:
                session.receive_eof()
                return
            yield from (message for message in session.receive(data) if isinstance(message, bytes))
            sock.sendall(session.outgoing())


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
            if not isinstance(message, Aside):
                return message if isinstance(message, bytes) else b""
        if session.state is State.OPEN and not greets:
            return b""
        if session.state is State.OPEN:
            sock.sendall(session.outgoing())
    return None


def _refused(session: ClientSession, login: Login) -> str:
    refusal = session.refusal
    secret = "is the secret the server's own?" if login.signs else "does it want a login? (login in the plan)"
    if refusal is None and session.close_code in (None, 1006):
        return f"no WebSocket ({session.fault or 'it hung up'}); is the path right?"
    if refusal is None:
        return f"closed with {session.close_code} before the greeting; {secret}"
    said = f"HTTP {refusal.status} {refusal.reason}"
    if refusal.status in (401, 403):
        whom = "the token" if login.signs else "a user without a token"
        return f"refused {whom} ({said}); {secret}"
    if refusal.status in (429, 503):
        return f"is full or draining ({said}); try later, or with fewer users"
    return f"no WebSocket there ({said}); is the path right?"
