"""What a proxy does to the messages of all its connections, server to client.

Only events strike that are neither the first nor the last of their run: they are told
apart by the project's own reader of the protocol. Everything else goes through, and so
does every byte of what is not struck.
"""

import random
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from streamgauge.core.canary import SIZE, foreign
from streamgauge.core.event import LAST_RUN_EVENT, TERMINAL, Event, Kind
from streamgauge.core.strike import Fault, Strike
from streamgauge.protocol import Dialect, Reader, Unreadable
from streamgauge.protocol.dialect import Place
from streamgauge.report.redact import digest
from streamgauge.rig.frame_cutter import FrameCutter, Unit

_MOST_RUNS: Final = 10_000  # under way on one connection; more are not struck


class Aim(Struct, frozen=True):
    """How often: the share of events, and one more from the `at`-th on (0: none) in a run not yet struck."""

    rate: float = 0
    at: int = 0


class Delivery(Struct, frozen=True):
    """Bytes for the client of one connection."""

    stream: "Stream"
    data: bytes


class _Held(Struct, frozen=True):
    """An event that waits for its neighbour."""

    unit: Unit
    event: Event
    place: Place
    placed: bool


class Stream:
    """One connection as the faults see it; `owner` tells its user from others', "" while nobody knows.

    `is_full` tells whether there is no room for what is not its own.
    """

    def __init__(
        self, number: int, reader: Reader, most_bytes: int, owner: str, is_full: Callable[[], bool]
    ) -> None:
        self.number = number
        self.owner = owner
        self.is_full = is_full
        self.cutter = FrameCutter(most_bytes)
        self.reader = reader
        self.spoken_to = False  # the server has said something the protocol knows
        self.runs: dict[str, bool] = {}  # under way -> struck
        self.held: _Held | None = None
        self.lots: dict[Fault, random.Random] = {}


class Strikes:
    """Draws and commits the faults; `strikes` are those so far, and `counts` how many of each.

    `provable` strikes only what the protocol promises to show: a transplant with a canary in
    it, and others where the order of their part is kept. None comes before `from_ns`.
    """

    def __init__(
        self,
        aims: Mapping[Fault, Aim],
        dialect: Dialect,
        seed: int,
        most_bytes: int,
        *,
        provable: bool = False,
        from_ns: int = 0,
    ) -> None:
        self._aims = aims
        self._dialect = dialect
        self._seed = seed
        self._most_bytes = most_bytes
        self._provable = provable
        self._from_ns = from_ns
        self._streams: dict[int, Stream] = {}
        self._seen = 0  # events that may be struck
        self._to_place = {fault for fault, aim in aims.items() if aim.at}
        self.strikes: list[Strike] = []
        self.counts = dict.fromkeys(aims, 0)

    def enter(self, number: int, owner: str = "", is_full: Callable[[], bool] = lambda: False) -> Stream:
        """A new connection."""
        stream = Stream(number, self._dialect.reader(), self._most_bytes, owner, is_full)
        for fault in self._aims:
            stream.lots[fault] = random.Random(f"{self._seed} {fault} {number}")  # noqa: S311
        self._streams[number] = stream
        return stream

    def leave(self, stream: Stream) -> bytes:
        """A connection's server has ended: what was kept of what it said."""
        self._streams.pop(stream.number, None)
        return b"".join(delivery.data for delivery in self._release(stream)) + stream.cutter.rest()

    def take(self, stream: Stream, data: bytes, now_ns: int) -> list[Delivery]:
        """What becomes of bytes that a server sent, in order."""
        deliveries: list[Delivery] = []
        for unit in stream.cutter.cut(data):
            deliveries += self._take(stream, unit, now_ns)
        return deliveries

    def _take(self, stream: Stream, unit: Unit, now_ns: int) -> list[Delivery]:
        event = _read(stream, unit)
        inner = event is not None and self._is_inner(stream, event)
        if event is None or not inner:
            return [*self._release(stream), Delivery(stream, unit.raw)]
        place = self._dialect.place(unit.text or b"", event)
        if (held := stream.held) is not None:
            if self._are_neighbours(held, event, place):
                stream.held = None
                self._note(stream, Fault.SWAP, held.event, held.unit, now_ns)
                return [Delivery(stream, unit.raw), Delivery(stream, held.unit.raw)]
            released = self._release(stream)
        else:
            released = []
        self._seen += 1
        for fault in self._aims:
            placed = fault in self._to_place and self._seen >= self._aims[fault].at
            placed = placed and not stream.runs[event.run]
            drawn = stream.lots[fault].random() < self._aims[fault].rate
            if now_ns >= self._from_ns and (placed or drawn):
                struck = self._strike(fault, stream, unit, event, place, now_ns, placed=placed)
                if struck is not None:
                    return released + struck
        return [*released, Delivery(stream, unit.raw)]

    def _is_inner(self, stream: Stream, event: Event) -> bool:
        """Whether it is neither the first nor the last of its run; it is remembered."""
        if event.kind == Kind.GREETING:
            stream.owner, stream.spoken_to = event.user or stream.owner, True
        if event.kind > LAST_RUN_EVENT or not event.run:
            return False
        stream.spoken_to = True
        if event.kind in TERMINAL:
            stream.runs.pop(event.run, None)
            return False
        if event.run in stream.runs:
            return True
        if len(stream.runs) < _MOST_RUNS:
            stream.runs[event.run] = False
        return False

    def _are_neighbours(self, held: _Held, event: Event, place: Place) -> bool:
        return event.run == held.event.run and (not self._provable or place.part == held.place.part)

    def _release(self, stream: Stream) -> list[Delivery]:
        """Let go of what waited for a neighbour, in its old place."""
        held, stream.held = stream.held, None
        if held is None:
            return []
        if held.placed:
            self._to_place.add(Fault.SWAP)
        return [Delivery(stream, held.unit.raw)]

    def _strike(
        self,
        fault: Fault,
        stream: Stream,
        unit: Unit,
        event: Event,
        place: Place,
        now_ns: int,
        *,
        placed: bool,
    ) -> list[Delivery] | None:
        """Commit it; None where it is not possible here."""
        if self._provable and not (_canary(unit) if fault is Fault.TRANSPLANT else place.missed):
            return None
        to: Stream | None = None
        if fault is Fault.TRANSPLANT and (to := self._another(stream)) is None:
            return None
        if placed:
            self._to_place.discard(fault)
        if fault is Fault.SWAP:
            stream.held = _Held(unit, event, place, placed)
            return []
        self._note(stream, fault, event, unit, now_ns, to)
        controls = [Delivery(stream, unit.controls)] if unit.controls else []
        if fault is Fault.DOUBLE:
            return [Delivery(stream, unit.raw), Delivery(stream, unit.data)]
        return [*controls, Delivery(to, unit.data)] if to is not None else controls

    def _another(self, stream: Stream) -> Stream | None:
        """A connection of another user that can take a message."""
        others = [
            other
            for other in self._streams.values()
            if other.spoken_to
            and not other.is_full()
            and other.cutter.is_between
            and other is not stream
            and not (other.owner and other.owner == stream.owner)
        ]
        return stream.lots[Fault.TRANSPLANT].choice(others) if others else None

    def _note(
        self,
        stream: Stream,
        fault: Fault,
        event: Event,
        unit: Unit,
        now_ns: int,
        to: Stream | None = None,
    ) -> None:
        if event.run in stream.runs:
            stream.runs[event.run] = True
        canary = digest(token) if (token := _canary(unit)) else ""
        kind = Kind(event.kind).name.lower()
        number = to.number if to is not None else 0
        self.counts[fault] += 1
        self.strikes.append(Strike(fault, now_ns, stream.number, event.run, kind, event.seq, number, canary))


def _canary(unit: Unit) -> str:
    """The first whole canary in a message: one that a shortened text cuts off may be anybody's."""
    tokens = foreign(unit.text or b"", b"\0").split()
    return next((token for token in tokens if len(token) == SIZE), "")


def _read(stream: Stream, unit: Unit) -> Event | None:
    """What a message says, None where it is none or nobody can tell."""
    if unit.text is None:
        return None
    try:
        return stream.reader.read(unit.text)[0]
    except Unreadable:
        return None
