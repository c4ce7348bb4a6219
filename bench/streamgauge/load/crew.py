"""Who takes part in a run: who is awaited, who is missing, who came or left in mid-run."""

from collections.abc import Iterable

from msgspec import Struct


class _Hand(Struct):
    """One worker: when it joined and left, in seconds of the run, and how many users it had."""

    joined_s: float = 0.0
    late: bool = False
    users: int = 0
    brought: bool = False  # its share is here
    left_s: float | None = None


class Crew:
    """The workers of one run by their names, which begin with their host's.

    Times are seconds since the run began.
    """

    def __init__(self, workers: Iterable[str]) -> None:
        self._hands = {name: _Hand() for name in workers}

    def began(self, worker: str, at_s: float) -> None:
        """A worker takes part; who was not there when the run began is late."""
        self._hands.setdefault(worker, _Hand(joined_s=at_s, late=True))

    def had(self, worker: str, users: int) -> None:
        """How many users a worker has by now; what is known of a dead one is what it had last."""
        if users and worker in self._hands:
            self._hands[worker].users = users

    def brought(self, worker: str, at_s: float, *, asked: bool) -> None:
        """A share came; where nobody had `asked` for it yet, its worker leaves in mid-run."""
        hand = self._hands.setdefault(worker, _Hand())
        hand.brought = True
        if not asked:
            hand.left_s = at_s

    def awaited(self) -> set[str]:
        """Whose shares have not come."""
        return {name for name, hand in self._hands.items() if not hand.brought}

    def missing(self) -> tuple[str, ...]:
        """In words, the workers whose shares never came, and how many users each had."""
        return tuple(f"{name} ({_users(self._hands[name].users)})" for name in sorted(self.awaited()))

    def changes(self) -> tuple[str, ...]:
        """In words, the workers that came or left in mid-run and brought their shares."""
        said = []
        for name, hand in sorted(self._hands.items()):
            if hand.late:
                said.append(f"{name} joined {_when(hand.joined_s)} after the beginning")
            if hand.left_s is not None:
                said.append(f"{name} left {_when(hand.left_s)} after the beginning")
        return tuple(said)


def _users(n: int) -> str:
    return "no user yet" if not n else f"{n:,} user{'' if n == 1 else 's'}"


def _when(seconds: float) -> str:
    return f"{seconds:.1f} s"
