"""One user's socket: read at all times by a libev watcher, spoken to by its greenlet.

No greenlet sits in `recv`: whatever arrives is stamped, decoded and recorded at
once, whether the user waits for it or not, and wakes the user when a run ends.
"""

import time
from collections.abc import Sequence
from typing import Final

from gevent.event import Event as Flag

from streamgauge.core.event import Event, Kind
from streamgauge.core.observation import (
    Arrival,
    Asked,
    Cancelled,
    Closed,
    Makes,
    Malformed,
    Opened,
    Received,
    Spoken,
    Stretch,
    Unsent,
    arrival_ns,
)
from streamgauge.load.bench import Bench
from streamgauge.load.cutting import Cutting
from streamgauge.load.pong import clocked
from streamgauge.load.refusal import NotConnected, why_refused
from streamgauge.load.run import Run, UnderWay
from streamgauge.load.transport import Transport
from streamgauge.protocol import Observer, Request
from streamgauge.protocol.login import headers, mint_token, subprotocols
from streamgauge.wire import ClientSession, Message, State, Unreadable

_HEEDED: Final = UnderWay.KINDS | {int(Kind.GREETING), int(Kind.PONG)}
_CLOSE_TIMEOUT_S: Final = 2.0


class Connection:
    """One WebSocket of `user`, from its handshake to its close."""

    __slots__ = (  # there are thousands
        "_began_ns",
        "_bench",
        "_gone",
        "_greeted",
        "_leaving",
        "_newest",
        "_observer",
        "_pinged_ns",
        "_plan",
        "_runs",
        "_session",
        "_transport",
        "canary",
        "number",
        "user",
    )

    def __init__(self, bench: Bench, user: str, canary: str, number: int = 0) -> None:
        login = bench.plan.login
        if login.signs and not bench.secret:
            raise NotConnected("no secret: set STREAMGAUGE_SECRET to the target's own")
        self._bench = bench
        self._plan = bench.plan
        self.user = user
        self.canary = canary
        self.number = number or bench.number()
        self._observer = Observer(self.number, canary, bench.dialect.reader(), bench.plan.max_message_bytes)
        token = mint_token(user, bench.secret, time.time(), login)
        self._session = ClientSession(
            self._plan.target,
            headers=headers(login, token),
            subprotocols=subprotocols(login, token),
            max_size=2 * self._plan.max_message_bytes,  # what is too large is a finding, then a failure
        )
        self._began_ns = 0
        self._greeted = Flag()
        self._gone = Flag()
        self._leaving = False
        self._transport: Transport | None = None
        self._runs = UnderWay(bench, user)
        self._pinged_ns = 0
        self._newest: Arrival | None = None  # the last that the last read brought

    def connect(self) -> None:
        """Open the connection and wait for the server's greeting; raises `NotConnected`."""
        self._began_ns = time.monotonic_ns()
        try:
            dialled = self._bench.dialer.dial(self.number)
        except OSError as error:
            raise NotConnected(error.strerror or str(error)) from error
        self._transport = Transport(self, self._bench.clock, dialled.socket, dialled.channel)
        self._bench.connections.add(self)
        self._transport.send(self._session.open())
        if not self._greeted.wait(self._plan.connect_timeout):
            self.abandon()
            raise NotConnected(f"no {'greeting' if self._bench.dialect.greets else 'handshake'} in time")
        if self._gone.is_set() and self._session.state is not State.OPEN:
            broken = None if self._transport is None else self._transport.fault
            raise NotConnected(why_refused(self._session, broken))

    # what the user does

    def ask(
        self,
        request: Request,
        due_ns: int,
        *,
        takes_s: float = 0,
        pause_s: float = 0,
        fails: bool = False,
        silent: bool = False,
        makes: Makes | None = None,
        over: Flag | None = None,
    ) -> Run | None:
        """Start a run that was due at `due_ns`; None where the connection is gone, or no more are allowed.

        `takes_s` and `pause_s` are the script's own time and longest pause, `fails` whether
        it ends in an error on purpose, `makes` what it makes, `silent` whether the run is to emit
        no event; `over` is the flag to be set when it is over, if there is one already.
        """
        if not self.open:
            self.skip(due_ns, "the connection was lost")
            return None
        if not self._bench.take():
            return None
        now_ns = time.monotonic_ns()
        echo = self._bench.dialect.echo(request)
        asked = Asked(
            self.number,
            now_ns,
            *(request.request, echo.thread, echo.agent, echo.context),
            due_ns,
            now_ns + int((takes_s + self._plan.slack) * 1e9),  # that we were late is no fault of the server's
            int(pause_s * 1e9),
            fails,
            silent,
            makes if self._bench.dialect.scripts else None,
        )
        self._bench.record(asked)
        run = Run(asked, request.agent, over or Flag())
        self._runs.begin(run)
        self._observer.expect(request, echo)
        self._say(self._bench.dialect.start(request))
        return run

    def skip(self, due_ns: int, why: str) -> None:
        """Count a request that was due and is not sent."""
        self._bench.unsent += 1
        self._bench.record(Unsent(self.number, time.monotonic_ns(), due_ns, why))

    def cancel(self, run: Run) -> None:
        """Ask the server to cancel a run that was accepted and has not ended, where the protocol can."""
        if not self.open or not run.run or run.ended:
            return
        if message := self._bench.dialect.cancel(run.run):
            self._bench.record(Cancelled(self.number, time.monotonic_ns(), run.run))
            self._say(message)

    def say(self, run: Run, text: str) -> None:
        """Speak while the agent works on a run, where the protocol can."""
        if self.open and run.run and not run.ended and (said := self._bench.dialect.say(run.run, text)):
            self._bench.record(Spoken(self.number, time.monotonic_ns(), run.run))
            self._say(said)

    def ping(self) -> None:
        """Ask for the server's time, where the protocol can."""
        sent_ns = time.monotonic_ns()
        if message := self._bench.dialect.ping(sent_ns):
            self._pinged_ns = sent_ns
            self._say(message)

    @property
    def open(self) -> bool:
        """Whether one can speak on it."""
        return self._session.state is State.OPEN and not self._gone.is_set()

    @property
    def under_way(self) -> int:
        """How many requests are not settled."""
        return len(self._runs)

    def drain(self) -> None:
        """Wait until every request is settled or overdue, and the grace time after it is over."""
        if not self._bench.drains:
            return
        left_s = (self._runs.deadline_ns - time.monotonic_ns()) / 1e9
        if self._runs and left_s > 0:
            self._runs.settled.wait(left_s)
        if not self._gone.is_set():
            self._gone.wait(self._plan.grace + 0.1)

    def close(self) -> None:
        """Leave: close the WebSocket, wait a moment for the server's answer, let go."""
        if self.open:
            self._leaving = True
            self._send(self._session.close())
            self._gone.wait(_CLOSE_TIMEOUT_S)
        self.abandon()

    def abandon(self) -> None:
        """Let go without a word."""
        self._leaving = self._leaving or self._session.close_code is None  # else the server left first
        self._lost(self._session.close_code or 1006)

    def cut_after(self, size: int) -> None:
        """Reset the connection when so many more bytes have been read, wherever in a message that is."""
        if self._transport is not None:
            self._transport.hand_over(Cutting(self, size))

    def cut(self) -> None:
        """Reset the connection: the server is told nothing but that."""
        self._leaving = True
        if self._transport is not None and not self._gone.is_set():
            self._transport.reset()
        self._lost(1006)

    def freeze(self) -> Transport | None:
        """Be gone for everybody but the server, to which the socket stays open; nobody reads it any more.

        None where the server was first.
        """
        if self._transport is None or self._gone.is_set():
            return None
        transport, self._transport = self._transport, None
        transport.freeze()
        self._bench.frozen.add(transport)
        self._leaving = True
        self._lost(1006)
        return transport

    def _say(self, message: bytes) -> None:
        if self.open:
            self._send(self._session.send_text(message, next(self._bench.masks)))
            if self._bench.raw is not None:
                self._bench.raw.told(time.monotonic_ns(), self.number, self.user, message)

    # what its transport tells

    def failed(self, error: Exception) -> None:
        """Our own code went wrong: the connection cannot go on, and the run says so."""
        self._bench.trouble(f"{type(error).__name__} in a callback: {error}")
        self.abandon()

    def ended(self, now_ns: int) -> None:
        """The server let go."""
        self._session.receive_eof()
        self._fail(now_ns)
        self._lost(self._session.close_code or 1006)

    def heard(self, data: bytes | memoryview, now_ns: int, kernel_ns: int, *, whole: bool = True) -> None:
        """Take what was read."""
        session = self._session
        messages = session.receive(data)
        if not self._greeted.is_set() and session.state is State.OPEN and not self._bench.dialect.greets:
            self._opened(now_ns)
        if messages:
            self._take(messages, now_ns, kernel_ns, exact=whole and session.exact)
        if session.fault:
            last = messages[-1] if messages else None  # a text that is none is told of already
            self._fail(now_ns, told=isinstance(last, Unreadable) and last.reason == "invalid UTF-8")
        if answer := session.outgoing():
            self._send(answer)
        if session.state is State.CLOSED or session.fault:
            self._lost(session.close_code or 1006)

    def _fail(self, now_ns: int, *, told: bool = False) -> None:
        """A breach of WebSocket itself is the server's fault, and it is we who leave because of it."""
        if not self._session.fault or not self._greeted.is_set():
            return
        self._leaving = True
        if not told:
            self._bench.record(Malformed(self.number, now_ns, 0, self._session.fault))

    def _take(self, messages: Sequence[Message], now_ns: int, kernel_ns: int, *, exact: bool) -> None:
        """Record what one read brought, and see what of it somebody waits for."""
        if self._bench.raw is not None:
            self._bench.raw.heard(now_ns, self.number, self.user, messages)
        rows: list[Arrival] = []
        place, end = 0, len(messages)
        exact = kernel_ns > 0 and exact
        while place < end:
            stretch = self._observer.gather(messages, place, now_ns, kernel_ns, exact=exact)
            if stretch is not None:
                rows.append(stretch)
                place += len(stretch.forms) + (stretch.accepted > 0)
                continue
            message = messages[place]
            place += 1
            if isinstance(message, bytes):
                if not self._greeted.is_set():
                    self._bench.read(rows)
                    rows = []
                    self._opened(now_ns)
                of_last = exact and place == end
                rows.append(self._observer.observe(message, now_ns, kernel_ns, exact=of_last))
            elif isinstance(message, Unreadable):
                rows.append(self._observer.refuse(message.payload, now_ns, message.size, message.reason))
            elif overheard := self._observer.overhear(message.payload, now_ns, message.where):
                rows.append(overheard)
        self._bench.read(rows)
        # kept while one waits for a pong alone: a row a socket would be room for nothing
        self._newest = rows[-1] if rows and self._pinged_ns else None
        for row in rows:
            if type(row) is Stretch:
                self._runs.go_on(row)
            elif type(row) is Received and (kind := row.event.kind) in _HEEDED:
                if kind in UnderWay.KINDS:
                    self._runs.tell(row.event, arrival_ns(row))
                elif kind == Kind.PONG:
                    self._ponged(row.event, now_ns)
                else:
                    self._known(row.event)

    def _opened(self, now_ns: int) -> None:
        self._bench.record(Opened(self.number, now_ns, self.user, self.canary, self._began_ns))
        self._greeted.set()

    def _ponged(self, event: Event, now_ns: int) -> None:
        sent_ns, self._pinged_ns = self._pinged_ns, 0
        if row := clocked(self.number, event, sent_ns, self._newest, now_ns):
            self._bench.record(row)

    def _known(self, event: Event) -> None:
        """The greeting named the server's clock."""
        if event.clock != self._bench.own_clock:
            self._bench.pinger.add(self)

    def _send(self, data: bytes) -> None:
        if self._transport is not None and not self._gone.is_set():
            self._transport.send(data)

    def _lost(self, code: int) -> None:
        if self._gone.is_set():
            return
        self._gone.set()
        if self._transport is not None:
            self._transport.close()
        self._bench.connections.discard(self)
        self._bench.note_gone(len(self._runs))
        self._runs.give_up()
        greeted = self._greeted.is_set()
        self._greeted.set()
        if greeted:  # last: nobody waits for this connection any more, whatever comes of the row
            self._bench.record(Closed(self.number, time.monotonic_ns(), code, self._leaving))
