"""Users of an earlier run who act once more: by name, so that their seed is the same, and when.

What they say follows from the plan, its seed and their names; when they ask, from the recording.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

_LATER_NS: Final = 86_400_000_000_000  # a day after the beginning nothing is due any more


class Part(Struct, frozen=True):
    """One user; times are nanoseconds after the beginning of the earlier run."""

    name: str
    opened_ns: int = 0  # when it had connected
    due_ns: tuple[int, ...] = ()  # its requests, from its first one on
    conns: tuple[int, ...] = ()  # the numbers of its first sockets, where they are free


class Cast(Struct, frozen=True):
    """The users; the new run begins as the earlier one was `starts_ns` old.

    What was due before `from_ns` is drawn, and not sent: what is drawn after it is then the same.
    """

    parts: tuple[Part, ...]
    starts_ns: int = 0
    from_ns: int = 0

    def at_ns(self, then_ns: int, began_ns: int) -> int:
        """A moment of the earlier run, in one that began at `began_ns`."""
        return began_ns + then_ns - self.starts_ns

    def schedule(self, part: Part, began_ns: int, drawn: Iterator[int]) -> Iterator[int]:
        """When a user is to ask; `drawn` is its own schedule, whose drawing must not be left out."""
        for due_ns in part.due_ns:
            next(drawn)
            yield self.at_ns(due_ns, began_ns)
        for _ in drawn:
            yield began_ns + _LATER_NS


def load_cast(path: Path) -> Cast:
    """Read it from JSON."""
    return msgspec.json.decode(path.read_bytes(), type=Cast)
