"""One user, one request, one connection, without Locust: everything it saw, as rows."""

import socket
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from streamgauge.core.event import TERMINAL, Kind
from streamgauge.core.observation import Asked, Closed, Makes, Observation, Opened, Received
from streamgauge.protocol import Dialect, Observer, Request
from streamgauge.protocol.login import Login, headers, subprotocols
from streamgauge.rig.connect import connect
from streamgauge.wire import ClientSession, State, Unreadable

_READ_BYTES: Final = 65_536
_CONN: Final = 1  # its number in the rows


class Patience(Struct, frozen=True):
    """How long to wait, in seconds: for the end of the run, and for what may come after it.

    `takes_s` and `pause_s` are a script's own time and longest pause, `fails` whether it
    ends in an error on purpose, `makes` what it makes.
    """

    slack_s: float
    grace_s: float
    takes_s: float = 0
    pause_s: float = 0
    fails: bool = False
    makes: Makes | None = None


def one_run(  # noqa: PLR0913, PLR0917 - all that a connection and a request take
    target: str,
    dialect: Dialect,
    token: str,
    user: str,
    canary: str,
    request: Request,
    patience: Patience,
    ca_file: str = "",
    login: Login = Login(),  # noqa: B008 - frozen
) -> list[Observation]:
    """Ask once and record what comes, until the run's end and the grace time, or its deadline.

    Raises `OSError` where there is no connection; `probe` says why in better words.
    """
    began_ns = time.monotonic_ns()
    with connect(target, ca_file, patience.slack_s) as sock:
        session = ClientSession(
            target, headers=headers(login, token), subprotocols=subprotocols(login, token)
        )
        sock.sendall(session.open())
        run = _Run(sock, session, Observer(_CONN, canary, dialect.reader(), 2**20))
        run.rows.append(Opened(_CONN, time.monotonic_ns(), user, canary, began_ns))
        run.read_until(run.greeted if dialect.greets else run.connected, patience.slack_s)
        if session.state is State.OPEN:
            now_ns = time.monotonic_ns()
            within_s = patience.takes_s + patience.slack_s
            echo = dialect.echo(request)
            asked = Asked(
                _CONN,
                now_ns,
                request.request,
                echo.thread,
                echo.agent,
                echo.context,
                now_ns,
                now_ns + int(within_s * 1e9),
                int(patience.pause_s * 1e9),
                patience.fails,
                makes=patience.makes if dialect.scripts else None,
            )
            run.rows.append(asked)
            run.observer.expect(request, echo)
            sock.sendall(session.send_text(dialect.start(request)))
            run.read_until(run.ended, within_s)
            run.read_until(lambda: False, patience.grace_s)
        ours = session.close_code is None
        if session.state is State.OPEN:
            sock.sendall(session.close())
        run.rows.append(Closed(_CONN, time.monotonic_ns(), session.close_code or 1000, ours))
        return run.rows


class _Run:
    """The rows so far, and what they say of the run."""

    def __init__(self, sock: socket.socket, session: ClientSession, observer: Observer) -> None:
        self._socket = sock
        self._session = session
        self.observer = observer
        self.rows: list[Observation] = []

    def _has(self, kinds: frozenset[Kind]) -> bool:
        return any(isinstance(row, Received) and row.event.kind in kinds for row in self.rows)

    def connected(self) -> bool:
        return self._session.state is State.OPEN

    def greeted(self) -> bool:
        return self._has(frozenset({Kind.GREETING}))

    def ended(self) -> bool:
        return self._has(TERMINAL | {Kind.REFUSED})

    def read_until(self, reached: Callable[[], bool], within_s: float) -> None:
        """Read until `reached`, the time is over, or nothing more can come."""
        deadline = time.monotonic() + within_s
        session = self._session
        while not reached() and session.state is not State.CLOSED and not session.fault:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(_READ_BYTES)
            except OSError:  # the time is over, or the connection is gone
                return
            now_ns = time.monotonic_ns()
            if not data:
                session.receive_eof()
                return
            for message in session.receive(data):
                if isinstance(message, bytes):
                    self.rows.append(self.observer.observe(message, now_ns, 0, exact=False))
                elif isinstance(message, Unreadable):
                    size, why = message.size, message.reason
                    self.rows.append(self.observer.refuse(message.payload, now_ns, size, why))
                elif overheard := self.observer.overhear(message.payload, now_ns, message.where):
                    self.rows.append(overheard)
            if answer := session.outgoing():
                self._socket.sendall(answer)
