"""What a proxy does to the bytes of a connection, server to client: when each leaves, and how it ends.

The toxics are those of toxiproxy (github.com/Shopify/toxiproxy): latency with jitter,
bandwidth, limit_data (`cut`), reset_peer (`reset`), timeout (`blackhole`), slow_close.
"""

import random
from collections import deque
from enum import StrEnum, auto
from typing import Final

from msgspec import Struct

_SECOND_NS: Final = 1_000_000_000
_INSTALMENTS: Final = 50  # a second: what a bandwidth lets through at once
NEVER: Final = -1


class Ending(StrEnum):
    """How the proxy ends what it sends to the client."""

    CLOSE = auto()  # FIN
    RESET = auto()  # RST
    BLACKHOLE = auto()  # neither: nothing more goes through, and nobody is told


class Dose(Struct, frozen=True):
    """How much of a toxic, between `low` and `high`, and in which share of the connections."""

    low: float
    high: float
    rate: float = 1


class Recipe(Struct, frozen=True):
    """The toxics of all connections: times in seconds, places in bytes of what the server sends."""

    latency: Dose | None = None
    jitter: Dose | None = None
    bandwidth: Dose | None = None  # bytes per second
    cut: Dose | None = None
    reset: Dose | None = None
    blackhole: Dose | None = None
    slow_close: Dose | None = None


class Toxics(Struct, frozen=True):
    """The toxics of one connection, drawn; `ends_at` is a place in bytes."""

    latency_ns: int = 0
    jitter_ns: int = 0
    bandwidth: int = 0  # bytes per second; 0: as fast as can be
    ends_at: int = NEVER
    ending: Ending = Ending.CLOSE
    slow_close_ns: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """What it suffers from; an end counts when it is reached."""
        known = {
            "latency": self.latency_ns,
            "jitter": self.jitter_ns,
            "bandwidth": self.bandwidth,
            "slow_close": self.slow_close_ns,
        }
        return tuple(name for name, much in known.items() if much)


def draw_toxics(recipe: Recipe, rng: random.Random) -> Toxics:
    """What a new connection is to suffer; of several ends it is the earliest."""

    def much(dose: Dose | None) -> float:
        # drawn in any case, so that one toxic's rate does not move the others' places
        struck, value = rng.random(), rng.random()
        if dose is None or struck >= dose.rate:
            return NEVER
        return dose.low + (dose.high - dose.low) * value

    latency, jitter, bandwidth, slow = map(
        much, (recipe.latency, recipe.jitter, recipe.bandwidth, recipe.slow_close)
    )
    ends = {
        ending: much(dose)
        for ending, dose in (
            (Ending.CLOSE, recipe.cut),
            (Ending.RESET, recipe.reset),
            (Ending.BLACKHOLE, recipe.blackhole),
        )
    }
    at, ending = min(
        ((round(place), ending) for ending, place in ends.items() if place >= 0),
        default=(NEVER, Ending.CLOSE),
    )
    return Toxics(
        latency_ns=_ns(latency),
        jitter_ns=_ns(jitter),
        bandwidth=max(0, round(bandwidth)),
        ends_at=at,
        ending=ending,
        slow_close_ns=_ns(slow),
    )


def _ns(seconds: float) -> int:
    return round(max(0, seconds) * _SECOND_NS)


class Flow:
    """What is on its way to one client; `size` bytes of it are here."""

    def __init__(self, toxics: Toxics, rng: random.Random) -> None:
        self.toxics = toxics
        self.size = 0
        self.ended = False  # whatever else comes is thrown away
        self._random = rng
        self._taken = 0
        self._due: deque[tuple[int, bytes | Ending]] = deque()
        self._last_ns = 0  # when what was taken last is due
        if toxics.ends_at == 0:
            self._end(toxics.ending, 0)

    def take(self, data: bytes, now_ns: int) -> None:
        """Schedule bytes that the server sent."""
        if self.ended:
            return
        toxics = self.toxics
        left = len(data) if toxics.ends_at == NEVER else toxics.ends_at - self._taken
        data = data[:left]
        self._taken += len(data)
        jitter = round(self._random.uniform(0, toxics.jitter_ns)) if toxics.jitter_ns else 0
        due_ns = max(now_ns + toxics.latency_ns + jitter, self._last_ns)
        step = max(1, toxics.bandwidth // _INSTALMENTS) if toxics.bandwidth else len(data) or 1
        for start in range(0, len(data), step):
            piece = data[start : start + step]
            if toxics.bandwidth:  # a piece is there when its last byte is
                due_ns += len(piece) * _SECOND_NS // toxics.bandwidth
            self._due.append((due_ns, piece))
            self.size += len(piece)
        self._last_ns = due_ns
        if self._taken == toxics.ends_at:
            self._end(toxics.ending, due_ns)

    def take_eof(self, now_ns: int) -> None:
        """The server has ended."""
        if not self.ended:
            self._end(Ending.CLOSE, max(now_ns, self._last_ns) + self.toxics.slow_close_ns)

    @property
    def is_struck(self) -> bool:
        """Whether the place was reached at which it was to end."""
        return self._taken == self.toxics.ends_at

    def _end(self, ending: Ending, due_ns: int) -> None:
        self.ended = True
        self._due.append((due_ns, ending))

    @property
    def next_ns(self) -> int | None:
        """When the next of it is due; None while there is none."""
        return self._due[0][0] if self._due else None

    def due(self, now_ns: int) -> bytes | Ending | None:
        """Take what is due by now: bytes, or else the end; None while it is neither's time."""
        pieces: list[bytes] = []
        while self._due and self._due[0][0] <= now_ns:
            piece = self._due[0][1]
            if isinstance(piece, Ending):
                if not pieces:
                    self._due.popleft()
                    return piece
                break
            self._due.popleft()
            self.size -= len(piece)
            pieces.append(piece)
        return b"".join(pieces) or None
