"""Recordings of a correct server, as a faulty one would have had them: one event struck at a time.

Only the rows near a struck event are unfolded; whatever else was packed stays so. A strike falls
on an event that is neither its run's first nor its last, and on each run at most once.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from random import Random
from typing import Final, NamedTuple

from msgspec.structs import replace

from streamgauge.core.event import TERMINAL, Kind
from streamgauge.core.observation import Closed, Observation, Opened, Received, Stretch
from streamgauge.core.stretch import KINDS, unfold

_INNER: Final = frozenset({Kind.THINKING, Kind.TOOL_EXECUTING, Kind.TOOL_COMPLETED, Kind.PARTIAL})
_WRONG: Final = "a digest of another text"


class Mutation(StrEnum):
    """What is done to an event."""

    LEAK = "leak"  # it goes to another user, with that user's id on it; its text holds the owner's canary
    LEAK_BY_RUN = "leak, canary-free"  # the same, but that only its run's id tells whose it is
    LOSS = "loss"
    REPEAT = "repeat"
    SWAP = "swap"  # with the next event of its run
    CORRUPTION = "corruption"  # of a part of an answer


class Place(NamedTuple):
    """Where an event stands: the row, and its place in what the row unfolds to."""

    row: int
    place: int


class Socket:
    """The rows of one connection, in order of time, and where the events that may be struck are."""

    def __init__(self, rows: Sequence[Observation]) -> None:
        self.rows = rows
        self.events = 0
        self.inner: list[tuple[Place, int]] = []  # with the kind
        opened = next((row for row in rows if isinstance(row, Opened)), None)
        self.user = opened.user if opened else ""
        self.canary = opened.canary if opened else ""
        # another's event can arrive after the greeting and before the end
        self.from_ns = next((row.at_ns for row in rows if isinstance(row, Received | Stretch)), 0)
        self.until_ns = next((row.at_ns for row in rows if isinstance(row, Closed)), 0)
        for number, row in enumerate(rows):
            if isinstance(row, Stretch):
                first = int(row.accepted > 0)
                kinds: Iterable[int] = row.forms.translate(KINDS)
            elif isinstance(row, Received) and row.event.kind <= Kind.FAILED:
                first, kinds = 0, (row.event.kind,)
            else:
                continue
            for place, kind in enumerate(kinds, first):
                self.events += 1
                if kind in _INNER:
                    self.inner.append((Place(number, place), kind))

    def is_open(self, at_ns: int) -> bool:
        """Whether its user was there, greeted and not gone."""
        return self.from_ns < at_ns < self.until_ns


class Draft:
    """The rows of one socket while they are changed."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._rows: dict[int, list[Received | None]] = {}  # that are unfolded; None: it is not there
        self._more: dict[Place, Received] = {}  # that come after one
        self._inserted: list[Received] = []
        self._struck: set[str] = set()
        self.astray: list[Received] = []  # what is to go to another user

    def strike(self, mutation: Mutation, place: Place) -> bool:
        """Whether there was something to strike, in a run that was not struck yet."""
        received = self._at(place)
        if received is None or received.event.run in self._struck:
            return False
        match mutation:
            case Mutation.LOSS:
                self._put(place, None)
            case Mutation.LEAK | Mutation.LEAK_BY_RUN:
                self._put(place, None)
                self.astray.append(received)
            case Mutation.REPEAT:
                self._more[place] = received
            case Mutation.SWAP if not self._swap(place, received):
                return False
            case Mutation.CORRUPTION if not self._corrupt(place, received):
                return False
        self._struck.add(received.event.run)
        return True

    def insert(self, received: Received) -> None:
        """Let an event of somebody else arrive."""
        self._inserted.append(received)

    def rows(self) -> list[Observation]:
        """The rows as they are now."""
        rows: list[Observation] = []
        for number, row in enumerate(self._socket.rows):
            if number not in self._rows:
                rows.append(row)
                continue
            for place, received in enumerate(self._rows[number]):
                if received is not None:
                    rows.append(received)
                    if again := self._more.get(Place(number, place)):
                        rows.append(again)
        for received in self._inserted:
            rows.insert(bisect_right(rows, received.at_ns, key=lambda row: row.at_ns), received)
        return rows

    def _unfolded(self, number: int) -> list[Received | None]:
        if number not in self._rows:
            row = self._socket.rows[number]
            assert isinstance(row, Received | Stretch)
            self._rows[number] = [*unfold(row)] if isinstance(row, Stretch) else [row]
        return self._rows[number]

    def _at(self, place: Place) -> Received | None:
        return self._unfolded(place.row)[place.place]

    def _put(self, place: Place, received: Received | None) -> None:
        self._unfolded(place.row)[place.place] = received

    def _after(self, place: Place, run: str) -> Iterator[tuple[Place, Received]]:
        """What comes of a run after one of its events."""
        for number in range(place.row, len(self._socket.rows)):
            row = self._socket.rows[number]
            if not (isinstance(row, Stretch) and row.run == run) and not (
                isinstance(row, Received) and row.event.run == run
            ):
                continue
            begin = place.place + 1 if number == place.row else 0
            for at, received in enumerate(self._unfolded(number)[begin:], begin):
                if received is not None and received.event.kind <= Kind.FAILED:
                    yield Place(number, at), received

    def _swap(self, place: Place, first: Received) -> bool:
        """Each arrives when the other did; the end of a run keeps its place."""
        for next_place, second in self._after(place, first.event.run):
            if second.event.kind in TERMINAL:
                return False
            self._put(place, _when(first, second))
            self._put(next_place, _when(second, first))
            return True
        return False

    def _corrupt(self, place: Place, part: Received) -> bool:
        """What the deltas make is told at the run's end."""
        for last_place, last in self._after(place, part.event.run):
            if last.event.kind == Kind.COMPLETED and last.event.answer:
                self._put(last_place, replace(last, event=replace(last.event, joined=_WRONG)))
                return True
        return False


def _when(when: Received, what: Received) -> Received:
    """The one, when the other arrived."""
    return replace(what, at_ns=when.at_ns, kernel_ns=when.kernel_ns, exact=when.exact)


class Mutated(NamedTuple):
    """The rows of the sockets that were changed, by their number, and how many events were struck."""

    rows: dict[int, list[Observation]]
    struck: int


class Original:
    """A recording socket by socket, and all that can be struck in it."""

    def __init__(self, rows: Iterable[Observation]) -> None:
        by_conn: dict[int, list[Observation]] = {}
        for row in rows:
            by_conn.setdefault(row.conn, []).append(row)
        self.sockets = [Socket(each) for each in by_conn.values() if isinstance(each[0], Opened)]
        inner = [(n, place, kind) for n, socket in enumerate(self.sockets) for place, kind in socket.inner]
        self._inner = [(number, place) for number, place, _ in inner]
        self._parts = [(number, place) for number, place, kind in inner if kind == Kind.PARTIAL]

    @property
    def events(self) -> int:
        """How many there are."""
        return sum(socket.events for socket in self.sockets)

    def mutated(self, mutation: Mutation, strikes: int, rng: Random) -> Mutated:
        """Strike so many events, as far as there are any and their runs are not struck already."""
        may = self._parts if mutation is Mutation.CORRUPTION else self._inner
        leaks = mutation in {Mutation.LEAK, Mutation.LEAK_BY_RUN}
        drafts: dict[int, Draft] = {}
        struck = 0
        for number, place in rng.sample(may, min(strikes, len(may))):
            socket = self.sockets[number]
            others = self._others(number, socket.rows[place.row].at_ns) if leaks else []
            draft = drafts.setdefault(number, Draft(socket))
            if (leaks and not others) or not draft.strike(mutation, place):
                continue
            struck += 1
            if leaks:
                target = rng.choice(others)
                told = _foreign(draft.astray.pop(), socket, self.sockets[target], mutation)
                drafts.setdefault(target, Draft(self.sockets[target])).insert(told)
        return Mutated({number: draft.rows() for number, draft in drafts.items()}, struck)

    def _others(self, owner: int, at_ns: int) -> list[int]:
        """The sockets of other users that were open then."""
        user = self.sockets[owner].user
        return [number for number, to in enumerate(self.sockets) if to.user != user and to.is_open(at_ns)]


def _foreign(received: Received, owner: Socket, target: Socket, mutation: Mutation) -> Received:
    """An event as another user's socket has it: under that user's name, and with no number of the session."""
    return replace(
        received,
        conn=target.rows[0].conn,
        exact=False,
        event=replace(received.event, user=target.user, offset=0),
        foreign=owner.canary if mutation is Mutation.LEAK else "",
    )
