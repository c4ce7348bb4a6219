"""Slices: short stretches of a run in which all users do the same, and what each cost the server.

The rows of a recording hold a `Gauged` at every border between two slices. What
lies between two of them is one slice: the processor time that the server used
meanwhile, and its own accounts of the runs that ended in it.
"""

from collections.abc import Sequence
from statistics import median

from msgspec import Struct

from streamgauge.core.event import Account
from streamgauge.core.observation import Gauged, Observation, Received


class Turn(Struct, frozen=True):
    """A slice to come: every user makes `runs` runs of arm `arm`, one after the other.

    `options` are the request's, in the protocol's own words; `silent` runs emit no
    events. Runs with the same `seed` draw the same times. A turn that is not
    `counted` warms up.
    """

    block: int
    arm: str
    runs: int
    seed: int
    options: dict[str, object] = {}
    silent: bool = False
    counted: bool = True


class Slice(Struct, frozen=True):
    """A slice that is over; sums over its runs and what is typical (the median) of one run, times in ns."""

    block: int
    arm: str
    runs: int  # that were asked for
    reported: int  # of which the server's account came
    cpu_ns: int | None  # None: the server does not say
    execution_ns: int
    emission_ns: int
    events: int
    typical_execution_ns: float
    typical_emission_ns: float

    @property
    def whole(self) -> bool:
        """Whether every run is accounted for."""
        return self.reported == self.runs


class Slices:
    """Collects slices."""

    def __init__(self) -> None:
        self._done: list[Slice] = []
        self._border: Gauged | None = None
        self._accounts: list[Account] = []

    def add(self, row: Observation) -> None:
        """Take the next row."""
        match row:
            case Received() if row.event.account is not None:
                if self._border is not None and self._border.arm:
                    self._accounts.append(row.event.account)
            case Gauged():
                if self._border is not None and self._border.arm:
                    self._done.append(_between(self._border, row, self._accounts))
                self._border = row
                self._accounts = []

    def done(self) -> tuple[Slice, ...]:
        """The slices that are over, in their order."""
        return tuple(self._done)


def _between(begin: Gauged, end: Gauged, accounts: Sequence[Account]) -> Slice:
    execution = [account.execution_ns for account in accounts]
    emission = [account.emission_ns for account in accounts]
    return Slice(
        begin.block,
        begin.arm,
        begin.runs,
        len(accounts),
        None if begin.cpu_ns < 0 or end.cpu_ns < 0 else end.cpu_ns - begin.cpu_ns,
        sum(execution),
        sum(emission),
        sum(account.events for account in accounts),
        median(execution) if accounts else 0.0,
        median(emission) if accounts else 0.0,
    )
