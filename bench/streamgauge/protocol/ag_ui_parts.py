"""What begins and ends inside a run of AG-UI: messages, tool calls, reasoning, steps, subagents.

Each has an id, and its events come as begin, go on …, end. The table says for every
standing and every move what becomes of the part and what that says of the stream. One
cause is said once: what follows from a move out of place is masked.
"""

from enum import Enum, auto
from typing import Final, NamedTuple


class Group(Enum):
    """What a part is, as a sentence has it."""

    MESSAGE = "a text message"
    TOOL = "a tool call"
    REASONING = "a reasoning"
    THOUGHT = "a reasoning message"
    STEP = "a step"
    SUBAGENT = "a subagent"


class Part(NamedTuple):
    """One part; steps of the same name are told apart by the subagent that takes them."""

    group: Group
    name: str
    owner: str = ""


class Move(Enum):
    """What an event does to a part."""

    BEGIN = auto()
    GO_ON = auto()
    END = auto()


class Standing(Enum):
    """How far a part has come."""

    NEW = auto()
    OPEN = auto()
    GUESSED = auto()  # it went on without being open: its beginning or its end is out of place
    EARLY = auto()  # it ended before it began
    CLOSED = auto()


class Judged(Enum):
    """What a move says of the stream."""

    FINE = auto()
    BROKEN = auto()
    MASKED = auto()  # it follows from what was said before


_S, _M, _J = Standing, Move, Judged

TABLE: Final[dict[tuple[Standing, Move], tuple[Standing, Judged]]] = {
    (_S.NEW, _M.BEGIN): (_S.OPEN, _J.FINE),
    (_S.NEW, _M.GO_ON): (_S.GUESSED, _J.BROKEN),
    (_S.NEW, _M.END): (_S.EARLY, _J.BROKEN),
    (_S.OPEN, _M.BEGIN): (_S.OPEN, _J.BROKEN),
    (_S.OPEN, _M.GO_ON): (_S.OPEN, _J.FINE),
    (_S.OPEN, _M.END): (_S.CLOSED, _J.FINE),
    (_S.GUESSED, _M.BEGIN): (_S.OPEN, _J.MASKED),
    (_S.GUESSED, _M.GO_ON): (_S.GUESSED, _J.MASKED),
    (_S.GUESSED, _M.END): (_S.CLOSED, _J.MASKED),
    (_S.EARLY, _M.BEGIN): (_S.CLOSED, _J.MASKED),
    (_S.EARLY, _M.GO_ON): (_S.EARLY, _J.MASKED),
    (_S.EARLY, _M.END): (_S.EARLY, _J.BROKEN),
    (_S.CLOSED, _M.BEGIN): (_S.OPEN, _J.FINE),  # an id may be used again, but for a subagent's
    (_S.CLOSED, _M.GO_ON): (_S.GUESSED, _J.BROKEN),
    (_S.CLOSED, _M.END): (_S.CLOSED, _J.BROKEN),
}


class Parts:
    """The parts of one run, with their texts until they end."""

    def __init__(self) -> None:
        self._standing: dict[Part, Standing] = {}
        self._owners: dict[Part, str] = {}
        self._texts: dict[Part, list[str]] = {}

    def take(self, part: Part, move: Move) -> Judged:
        """Move a part."""
        before = self.standing(part)
        self._standing[part], judged = TABLE[before, move]
        if (before, move, part.group) == (Standing.CLOSED, Move.BEGIN, Group.SUBAGENT):
            return Judged.BROKEN
        return judged

    def agrees(self, part: Part, owner: str | None, move: Move) -> bool:
        """Whether an event that names a subagent names the one that began the part."""
        if move is Move.BEGIN:
            self._owners[part] = owner or ""
        return owner is None or owner == self._owners.get(part, owner)

    def standing(self, part: Part) -> Standing:
        """How a part stands."""
        return self._standing.get(part, Standing.NEW)

    def is_unclosed(self, part: Part) -> bool:
        """Whether an end is still to come."""
        return self.standing(part) in (Standing.OPEN, Standing.GUESSED)

    def unclosed(self) -> list[Group]:
        """What is open, each group once, but for what was said to be out of place."""
        standing = self._standing.items()
        return list(dict.fromkeys(part.group for part, how in standing if how is Standing.OPEN))

    def add(self, part: Part, text: str) -> None:
        """Keep a piece of a part's text."""
        self._texts.setdefault(part, []).append(text)

    def text(self, part: Part) -> bytes:
        """All of a part's text, given away."""
        return "".join(self._texts.pop(part, ())).encode()

    def rest(self) -> bytes:
        """The texts of all parts that did not end, given away."""
        return b"\n".join(self.text(part) for part in list(self._texts))
