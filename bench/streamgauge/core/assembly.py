"""Puts observations together into runs, and says when a run is settled.

A run is settled by its terminal event (a silent one by its report) and the grace
time after it, by a refusal, by its deadline, or by the end of its connection. Time is only what the rows say,
and a run's fate depends on the rows of its own connection alone: live, offline,
in one process or in four, the same rows settle the same runs.
"""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from streamgauge.core.contract import Limits
from streamgauge.core.event import LAST_RUN_EVENT, TERMINAL, Kind
from streamgauge.core.history import End, History
from streamgauge.core.observation import (
    Asked,
    Cancelled,
    Closed,
    Observation,
    Opened,
    Received,
)

# How long a settled run is remembered, so that a later event of it is known as late.
MEMORY_NS: Final = 60_000_000_000


class Connection(Struct):
    """What is under way on one socket."""

    user: str
    requests: dict[str, History] = {}  # asked, not yet accepted
    runs: dict[str, History] = {}  # accepted, not yet settled
    settled: dict[str, tuple[int, bool]] = {}  # run -> when it was settled, and whether it had ended


class Stray(Struct, frozen=True):
    """Events whose run their own socket did not ask for, or had settled already (`late`): the first."""

    user: str
    received: Received
    late: bool
    times: int = 1


class Assembler:
    """Turns rows into settled runs; what belongs to no run goes to `strays`."""

    def __init__(self, limits: Limits) -> None:
        self._grace_ns = limits.grace_ns
        self._connections: dict[int, Connection] = {}
        self._due: list[tuple[int, int, Connection, History]] = []
        self._serial = 0
        self._strays: dict[tuple[int, str], Stray] = {}

    def add(self, row: Observation) -> list[History]:
        """Take the next row, in order of time; return the runs that are settled by now."""
        settled = self._settle_due(row.at_ns) if self._due and self._due[0][0] <= row.at_ns else []
        match row:
            case Received():
                self._receive(row, settled)
            case Asked():
                self._ask(row)
            case Cancelled():
                connection = self._connections[row.conn]
                if history := connection.runs.get(row.run):
                    history.cancelled = True
            case Opened():
                self._connections[row.conn] = Connection(row.user)
            case Closed():
                settled.extend(self._close(row.conn, End.ABANDONED))
        return settled

    def finish(self, at_ns: int) -> list[History]:
        """Settle what is left: nothing more will be seen after `at_ns`."""
        settled = self._settle_due(at_ns)
        for conn in list(self._connections):
            settled.extend(self._close(conn, End.ABANDONED))
        return settled

    @property
    def strays(self) -> Iterable[Stray]:
        """What belongs to no run, one a socket and run."""
        return self._strays.values()

    def _ask(self, row: Asked) -> None:
        connection = self._connections[row.conn]
        history = History(connection.user, row, thread=row.thread)
        connection.requests[row.request] = history
        self._wait(row.deadline_ns, connection, history)

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
            history.events.append(row)
            if event.kind in TERMINAL and not history.ended_ns and not history.asked.silent:
                history.ended_ns = row.at_ns
                self._wait(row.at_ns + self._grace_ns, connection, history)
        elif event.kind == Kind.ACCEPTED:
            self._accept(connection, row)
        elif event.kind == Kind.REPORT and (history := connection.runs.get(event.run)):
            if history.asked.silent and not history.ended_ns:  # any other ends in an event
                history.ended_ns = row.at_ns
                self._wait(row.at_ns + self._grace_ns, connection, history)
        elif event.kind == Kind.REFUSED and (history := connection.requests.pop(event.request, None)):
            history.end = End.REFUSED
            history.ended_ns = row.at_ns
            settled.append(history)

    def _accept(self, connection: Connection, row: Received) -> None:
        event = row.event
        known = connection.runs.get(event.run)
        if known is not None and known.asked.request == event.request:
            connection.requests.pop(event.request, None)  # asked again: answered by the run it started
            return
        history = connection.requests.get(event.request)
        if history is None or known is not None:
            # nobody asked for it here, or it is the answer to another request already
            self._strays[row.conn, event.run] = Stray(connection.user, row, late=False)
            return
        del connection.requests[event.request]
        history.run, history.accepted = event.run, row
        history.thread = history.thread or event.thread
        connection.runs[event.run] = history

    def _stray(self, connection: Connection, row: Received) -> None:
        _, ended = connection.settled.get(row.event.run, (0, None))
        if row.foreign or ended is False:
            return  # the canary is the finding; or that the run never ended
        key = row.conn, row.event.run
        first = self._strays.get(key)
        self._strays[key] = (
            replace(first, times=first.times + 1) if first else Stray(connection.user, row, bool(ended))
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

    def _wait(self, due_ns: int, connection: Connection, history: History) -> None:
        self._serial += 1
        heappush(self._due, (due_ns, self._serial, connection, history))

    def _settle_due(self, now_ns: int) -> list[History]:
        settled = []
        while self._due and self._due[0][0] <= now_ns:
            due_ns, _, connection, history = heappop(self._due)
            if history.ended_ns and due_ns < history.ended_ns + self._grace_ns:
                continue  # it ended before its deadline: the grace time decides
            if self._forget(connection, history, due_ns):
                history.end = End.TERMINAL if history.ended_ns else End.DEADLINE
                settled.append(history)
        return settled

    def _forget(self, connection: Connection, history: History, at_ns: int) -> bool:
        """Take a run out of its connection; False where it was settled before."""
        known, key = connection.runs, history.run
        if not key:
            known, key = connection.requests, history.asked.request
        if known.get(key) is not history:
            return False
        del known[key]
        if not history.run:
            return True
        settled = connection.settled
        settled[history.run] = at_ns, bool(history.ended_ns)
        while settled and next(iter(settled.values()))[0] < at_ns - MEMORY_NS:
            del settled[next(iter(settled))]
        return True

    def _close(self, conn: int, end: End) -> Iterator[History]:
        connection = self._connections.pop(conn, None)
        if connection is None:
            return
        for history in (*connection.requests.values(), *connection.runs.values()):
            history.end = End.TERMINAL if history.ended_ns else end
            yield history
        connection.requests.clear()
        connection.runs.clear()
