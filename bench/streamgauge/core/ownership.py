"""Whose each run was, in sixteen bytes a run: a soak of hours must not grow with its runs.

The newest runs are kept by name, older ones by an 8-byte digest, and of a process'
runs only the last million: a leak of an older run's event is still a finding, but its
owner is not known any more. That two among a million digests are alike by chance has
a probability of 3e-8.
"""

from array import array
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import numpy as np
from msgspec import Struct

_NAMED: Final = 4_096  # runs kept by name at most, so that to digest them takes no more than milliseconds
_GENERATIONS: Final = 256  # of so many runs each, kept by digest
_MOST_REPEATED: Final = 10_000  # names kept of runs that were settled on several connections

_SETTLED: Final = np.dtype([("run", "<u8"), ("conn", "<u4")])
_OWNED: Final = np.dtype([("run", "<u8"), ("user", "<u4"), ("conn", "<u4")])

_Rows = np.ndarray[Any, np.dtype[Any]]


class Settlements:
    """On which connections each run was settled: mostly one."""

    def __init__(self, named: int = _NAMED) -> None:
        self._named = named
        self._most_partial = named * _GENERATIONS
        self._first: dict[str, int] = {}
        self._again: set[tuple[str, int]] = set()  # run and connection, where that is not the first
        self._older: deque[_Rows] = deque(maxlen=_GENERATIONS)
        self._repeated: dict[str, None] = {}
        self._partial = array("Q")  # digests of the last million that were

    def add(self, run: str, conn: int, *, whole: bool = True) -> None:
        """A run was settled on a connection, `whole` where all of it had come there."""
        if not whole:
            self._partial.append(digest(run))
            if len(self._partial) > self._most_partial:
                del self._partial[: self._most_partial // 2]
        if self._first.setdefault(run, conn) != conn:
            self._again.add((run, conn))
            if len(self._repeated) < _MOST_REPEATED:
                self._repeated[run] = None
        if len(self._first) >= self._named:
            self._older.append(self._rows())
            self._first.clear()
            self._again.clear()

    def have(self, run: str, conn: int) -> bool:
        """Whether a run was settled on a connection."""
        if self._first.get(run) == conn or (run, conn) in self._again:
            return True
        number = digest(run)
        return any(bool(np.any(rows["conn"][rows["run"] == number] == conn)) for rows in self._older)

    def partial(self) -> Callable[[str], bool]:
        """Tells of a run whether it was settled anywhere without being whole, of the last million."""
        known = frozenset(self._partial)
        return lambda run: digest(run) in known

    def owners(self, users: Mapping[int, str]) -> "Owners":
        """Whose the runs were, `users` being those of the connections."""
        rows = np.concatenate([*self._older, self._rows()])
        names = sorted({users[conn] for conn in np.unique(rows["conn"]).tolist()})
        number = {name: at for at, name in enumerate(names)}
        owned = np.empty(len(rows), _OWNED)
        owned["run"], owned["conn"] = rows["run"], rows["conn"]
        owned["user"] = [number[users[conn]] for conn in rows["conn"].tolist()]
        return _in_order(names, owned, {*self._first, *self._repeated})

    def _rows(self) -> _Rows:
        pairs = [*self._first.items(), *self._again]
        return np.array([(digest(run), conn) for run, conn in pairs], _SETTLED)


class Owner(NamedTuple):
    """A user, and the first of its connections on which the run was settled; 0: none to name."""

    user: str
    conn: int


class Owners(Struct, frozen=True):
    """Whose the runs of one or more processes were, to be merged: `owned` holds `_OWNED` records in order.

    `names` are those of the newest runs, and of some that were settled more than once: what is
    found about these can be said by name.
    """

    users: Sequence[str] = ()
    owned: bytes = b""
    names: Sequence[str] = ()

    @classmethod
    def of(cls, runs: Iterable[tuple[str, Owner]]) -> "Owners":
        """Of runs by name, which is how tests say it."""
        settlements, users = Settlements(), dict[int, str]()
        for run, owner in runs:
            users[owner.conn] = owner.user
            settlements.add(run, owner.conn)
        return settlements.owners(users)

    def merge(self, other: "Owners") -> "Owners":
        """Those of both."""
        users = sorted({*self.users, *other.users})
        number = {name: at for at, name in enumerate(users)}
        parts = []
        for one in (self, other):
            rows = np.frombuffer(one.owned, _OWNED).copy()
            rows["user"] = np.array([number[name] for name in one.users], np.uint32)[rows["user"]]
            parts.append(rows)
        return _in_order(users, np.concatenate(parts), {*self.names, *other.names})


class OwnerIndex:
    """Answers by run what `Owners` hold."""

    def __init__(self, owners: Owners) -> None:
        self._users = owners.users
        self._names = owners.names
        self._rows: _Rows = np.frombuffer(owners.owned, _OWNED)

    def owners(self, run: str) -> list[Owner]:
        """All users for whom a run was settled, in order of their names, each with the first connection."""
        return self._of(digest(run))

    def _of(self, number: int) -> list[Owner]:
        begin, end = (
            int(np.searchsorted(self._rows["run"], np.uint64(number), side)) for side in ("left", "right")
        )
        first: dict[int, int] = {}
        for _, user, conn in self._rows[begin:end].tolist():
            first.setdefault(user, conn)
        return [Owner(self._users[user], conn) for user, conn in first.items()]

    def among(self, digests: Collection[int]) -> int:
        """How many of these runs were settled for anybody."""
        asked = np.fromiter(digests, np.uint64, len(digests))
        return int(np.isin(asked, self._rows["run"]).sum())

    def shared_digests(self) -> set[int]:
        """The runs that were settled for several users."""
        same = self._rows["run"][1:] == self._rows["run"][:-1]
        several = same & (self._rows["user"][1:] != self._rows["user"][:-1])
        return set(self._rows["run"][1:][several].tolist())

    def shared(self) -> dict[str, list[Owner]]:
        """The owners of runs that were settled for several, by name where it is kept, else by digest."""
        digests = self.shared_digests()
        if not digests:
            return {}
        names = {number: run for run in self._names if (number := digest(run)) in digests}
        return {names.get(number, f"digest {number:016x}"): self._of(number) for number in sorted(digests)}


def _in_order(users: Sequence[str], rows: _Rows, names: Iterable[str]) -> Owners:
    """The same whatever the order in which it was known."""
    order = np.lexsort((rows["conn"], rows["user"], rows["run"]))
    return Owners(users, rows[order].tobytes(), sorted(names))


def digest(run: str) -> int:
    """A run's name in eight bytes."""
    return int.from_bytes(blake2b(run.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
