"""Puts observations together into runs, and says when a run is settled.

A run is settled by its terminal event (a silent one by its report) and the grace
time after it, by a refusal, by its deadline, or by the end of its connection. Time is only what the rows say,
and a run's fate depends on the rows of its own connection alone: live, offline,
in one process or in four, the same rows settle the same runs.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

from msgspec import Struct
from msgspec.structs import replace

from streamgauge.core.contract import Limits
from streamgauge.core.event import LAST_RUN_EVENT, TERMINAL, Event, Kind
from streamgauge.core.history import End, History
from streamgauge.core.observation import (
    Asked,
    Cancelled,
    Closed,
    Observation,
    Opened,
    Received,
    Spoken,
    Stretch,
    arrival_ns,
)
from streamgauge.core.ownership import Settlements
from streamgauge.core.stretch import unfold

_UNKNOWN, _LATE, _SILENT = "unknown", "late", "silent"  # what is strange about an event


class MisplacedRow(ValueError):
    """A row that no instrument writes where it stands."""


class Quiet(Struct, frozen=True):
    """A run, or else a request, that was settled without having ended: since what nothing came of it."""

    since: Received | Asked  # what came last, or else the request
    most_ns: int  # how long that may be


class Connection(Struct):
    """What is under way on one socket."""

    user: str
    requests: dict[str, History] = {}  # asked, not yet accepted
    runs: dict[str, History] = {}  # accepted, not yet settled
    unended: dict[str, Quiet] = {}  # runs, or else requests, that were settled without having ended


class Stray(Struct, frozen=True):
    """Events whose run their own socket did not ask for, or had settled already (`late`): the first.

    Of a run that had not ended by its deadline: the first that came after too long a silence, `silent_ns`.
    """

    user: str
    received: Received
    late: bool
    times: int = 1
    silent_ns: int = 0
    since: Received | Asked | None = None  # where that silence began


class Assembler:
    """Turns rows into settled runs; what belongs to no run goes to `strays`.

    `settled` tells on which connections a run was settled; whoever judges it fills it.
    """

    def __init__(self, limits: Limits, settled: Settlements) -> None:
        self._settled = settled
        self._grace_ns = limits.grace_ns
        self._silence_ns = limits.silence_ns
        self._connections: dict[int, Connection] = {}
        # What is to be settled is queued by number only: a run that was settled long before its
        # deadline must not be kept alive by it.
        self._open: dict[int, tuple[Connection, History]] = {}
        self._deadlines: list[tuple[int, int]] = []  # a heap
        self._graces: deque[tuple[int, int]] = deque()  # rows come in order of time, and so do these
        self._serial = 0
        self._strays: dict[tuple[int, str, str], Stray] = {}  # by connection, run, and what is strange

    def connection(self, conn: int) -> Connection | None:
        """What is under way on a socket; None where it is not open."""
        return self._connections.get(conn)

    def add(self, row: Observation) -> list[History]:
        """Take the next row, in order of time; return the runs that are settled by it alone.

        Raises `MisplacedRow` where a user says something on a connection that is not open.
        """
        settled: list[History] = []
        match row:
            case Received():
                self._receive(row, settled)
            case Asked():
                self.ask(row)
            case Cancelled():
                connection = self._open_connection(row)
                if history := connection.runs.get(row.run):
                    history.cancelled = True
            case Spoken():
                if history := self._open_connection(row).runs.get(row.run):
                    history.spoken = True
            case Opened():
                self._connections[row.conn] = Connection(row.user)
            case Closed():
                settled.extend(self._close(row.conn, End.ABANDONED))
        return settled

    def finish(self, at_ns: int) -> list[History]:
        """Settle what is left: nothing more will be seen after `at_ns`."""
        settled = self.settle_due(at_ns)
        for conn in list(self._connections):
            settled.extend(self._close(conn, End.ABANDONED))
        return settled

    @property
    def strays(self) -> Iterable[Stray]:
        """What belongs to no run, one a socket and run; one more for what came late, and for a silence."""
        return self._strays.values()

    def ask(self, row: Asked) -> None:
        """A run was asked for.

        Raises `MisplacedRow` where the connection is not open.
        """
        connection = self._open_connection(row)
        self._serial += 1
        history = History(connection.user, row, thread=row.thread, serial=self._serial, plain=not row.silent)
        if again := connection.requests.get(row.request):
            del self._open[again.serial]  # both are answered as one
            history.again, history.answers = True, again.answers + 1
        connection.requests[row.request] = history
        self._open[history.serial] = connection, history
        heappush(self._deadlines, (row.deadline_ns, history.serial))

    def _open_connection(self, row: Asked | Cancelled | Spoken) -> Connection:
        """Where a user says something; what is heard may come on sockets of which nothing else is known."""
        connection = self._connections.get(row.conn)
        if connection is None:
            said = {Asked: "asked for", Cancelled: "cancelled", Spoken: "spoken into"}[type(row)]
            did = f"{said} {row.request if isinstance(row, Asked) else row.run}"
            raise MisplacedRow(f"{did} at {row.at_ns} ns on connection {row.conn}, which is not open then")
        return connection

    def _receive(self, row: Received, settled: list[History]) -> None:
        event = row.event
        connection = self._connections.get(row.conn)
        if connection is None:
            return
        if event.user and event.user != connection.user and event.run not in connection.runs:
            return  # another user's event is judged by isolation alone
        if event.kind <= LAST_RUN_EVENT:
            history = connection.runs.get(event.run) or self._adopt(connection, row)
            if history is None:
                self._stray(connection, row)
                return
            history.unfold()
            history.events.append(row)
            history.plain = history.plain and event.seq == len(history.events)
            if event.kind in TERMINAL and not history.asked.silent:
                self.end(history, row.at_ns, event)
        elif event.kind == Kind.ACCEPTED:
            self._accept(connection, row)
        elif event.kind == Kind.REPORT and (history := connection.runs.get(event.run)):
            if history.asked.silent:  # any other ends in an event
                self.end(history, row.at_ns)
        elif event.kind == Kind.REFUSED and (history := connection.requests.pop(event.request, None)):
            history.end = End.REFUSED
            history.ended_ns = row.at_ns
            del self._open[history.serial]
            settled.append(history)

    def end(self, history: History, at_ns: int, ending: Event | None = None) -> None:
        """A run came to its end, unless it had before: what still comes within the grace time is its own."""
        if not history.ended_ns:
            history.ended_ns, history.ending = at_ns, ending
            self._graces.append((at_ns + self._grace_ns, history.serial))

    def _accept(self, connection: Connection, row: Received) -> None:
        event = row.event
        known = connection.runs.get(event.run)
        if known is not None and known.asked.request == event.request:
            self._accept_again(connection, known, row)
            return
        history = connection.requests.get(event.request)
        if history is None and known is None and event.request in connection.unended:
            # too late: that it never began is the finding, and of what came before this, too
            connection.unended[event.run] = connection.unended[event.request]
            self._strays.pop((row.conn, event.run, _UNKNOWN), None)
            return
        if history is None or known is not None:
            self._accept_strange(connection, row)  # or it is the answer to another request already
            return
        self.accept(connection, history, row)

    def _accept_again(self, connection: Connection, known: History, row: Received) -> None:
        """A run under way is accepted once more: as often as its request was asked again, that is right."""
        if again := connection.requests.pop(row.event.request, None):
            del self._open[again.serial]
            known.answers += again.answers
        elif known.answers:
            known.answers -= 1
        elif known.accepted is not None:  # else that it began without is the finding
            self._accept_strange(connection, row)

    def _accept_strange(self, connection: Connection, row: Received) -> None:
        """What nobody asked for here is accepted, or once more: one finding a run, with its events."""
        key = row.conn, row.event.run, _UNKNOWN
        stray = self._strays.get(key)
        if stray is None or stray.received.event.kind != Kind.ACCEPTED:
            self._strays[key] = Stray(connection.user, row, late=False)

    def accept(self, connection: Connection, history: History, row: Received | Stretch) -> None:
        """A request that waits for it is accepted, and becomes a run of a new name."""
        said = row.event if isinstance(row, Received) else row
        del connection.requests[said.request]
        history.run, history.accepted = said.run, row
        history.thread = history.thread or said.thread
        connection.runs[said.run] = history

    def _stray(self, connection: Connection, row: Received) -> None:
        run = row.event.run
        if row.foreign:
            return  # the canary is the finding
        if quiet := connection.unended.get(run):
            # that it never ended is the finding; so is a silence that only now has an end
            connection.unended[run] = replace(quiet, since=row)
            silent_ns = arrival_ns(row) - _when(quiet.since)
            key = row.conn, run, _SILENT
            if silent_ns > quiet.most_ns and key not in self._strays:
                self._strays[key] = Stray(
                    connection.user, row, late=False, silent_ns=silent_ns, since=quiet.since
                )
            return
        late = self._settled.have(run, row.conn)
        key = row.conn, run, _LATE if late else _UNKNOWN
        first = self._strays.get(key)
        self._strays[key] = (
            replace(first, times=first.times + 1) if first else Stray(connection.user, row, late)
        )

    def _adopt(self, connection: Connection, row: Received) -> History | None:
        """A run that began without being accepted is known by its request, or by bearing its name."""
        event, requests = row.event, connection.requests
        if event.run not in requests and event.kind != Kind.STARTED:
            return None
        if history := requests.pop(event.run if event.run in requests else event.request, None):
            history.run = event.run
            history.thread = history.thread or event.thread
            connection.runs[event.run] = history
        return history

    def settle_due(self, now_ns: int) -> list[History]:
        """The runs that are settled by now, the first due first."""
        settled: list[History] = []
        deadlines = self._deadlines
        while deadlines and deadlines[0][0] <= now_ns:
            due_ns, serial = heappop(deadlines)
            self._settle_graces(due_ns, settled)
            if serial in self._open and not self._open[serial][1].ended_ns:  # else the grace time decides
                self._forget(serial, End.DEADLINE, settled)
        self._settle_graces(now_ns, settled)
        return settled

    def _settle_graces(self, until_ns: int, settled: list[History]) -> None:
        graces = self._graces
        while graces and graces[0][0] <= until_ns:
            _, serial = graces.popleft()
            if serial in self._open:  # else it was settled before
                self._forget(serial, End.TERMINAL, settled)

    def _forget(self, serial: int, end: End, settled: list[History]) -> None:
        """Take a run that is settled out of its connection."""
        connection, history = self._open.pop(serial)
        history.end = end
        settled.append(history)
        if not history.run:
            del connection.requests[history.asked.request]
            connection.unended[history.asked.request] = self._quiet(history)
            return
        del connection.runs[history.run]
        if not history.ended_ns:
            connection.unended[history.run] = self._quiet(history)

    def _quiet(self, history: History) -> Quiet:
        last = (history.events or history.stretches or [history.asked])[-1]
        since = unfold(last)[-1] if isinstance(last, Stretch) else last
        return Quiet(since, self._silence_ns + history.asked.pause_ns)

    def _close(self, conn: int, end: End) -> Iterator[History]:
        connection = self._connections.pop(conn, None)
        if connection is None:
            return
        for history in (*connection.requests.values(), *connection.runs.values()):
            history.end = End.TERMINAL if history.ended_ns else end
            self._open.pop(history.serial, None)
            yield history
        connection.requests.clear()
        connection.runs.clear()


def _when(row: Received | Asked) -> int:
    return row.at_ns if isinstance(row, Asked) else arrival_ns(row)
