"""Correct recordings with one fault in them, and what is needed to put it there."""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from msgspec.structs import replace

from streamgauge.core.contract import Rule
from streamgauge.core.event import TERMINAL, Event, Kind
from streamgauge.core.finding import Finding
from streamgauge.core.observation import (
    Asked,
    Cancelled,
    Closed,
    Makes,
    Observation,
    Opened,
    Received,
    Spoken,
)
from tests.support.analysed import UNTIL

Rows = list[Observation]


class Told(NamedTuple):
    """What a finding says, but for its times and for the innocent events around the guilty one."""

    rule: Rule
    problem: str
    user: str
    conn: int
    run: str = ""
    guilty: tuple[tuple[int, int], ...] = ()  # seq and offset
    other: str = ""
    numbers: tuple[tuple[int, int], ...] = ()
    lasted_ns: int = 0


class Mutated(NamedTuple):
    """A faulty recording; `masked` tells that a gap keeps the rules that depend on it from one run."""

    rows: Rows
    expected: list[Told]
    masked: bool = False
    until_ns: int = UNTIL


def told(finding: Finding) -> Told:
    guilty = tuple((seen.seq, seen.offset) for seen in finding.witnesses if seen.guilty)
    whose = finding.user, finding.conn, finding.run
    numbers = finding.numbers, finding.lasted_ns
    return Told(finding.rule, finding.problem, *whose, guilty, finding.other, *numbers)


class Place(NamedTuple):
    """An event of a run, and where it stands."""

    at: int
    row: Received

    @property
    def event(self) -> Event:
        return self.row.event

    def breaks(
        self, rule: Rule, problem: str, other: str = "", *, numbers: Sequence[int] = (), lasted_ns: int = 0
    ) -> Told:
        event = self.event
        user, guilty = owner(self.row), ((event.seq, event.offset),)
        said = tuple((number, number) for number in numbers)
        return Told(rule, problem, user, self.row.conn, event.run, guilty, other, said, lasted_ns)


def owner(row: Received) -> str:
    return row.event.user


def runs(rows: Rows) -> list[list[Place]]:
    """The events of every run that has any."""
    found: dict[str, list[Place]] = {}
    for at, row in enumerate(rows):
        if isinstance(row, Received) and row.event.seq:
            found.setdefault(row.event.run, []).append(Place(at, row))
    return list(found.values())


def due(rows: Rows, of_run: Sequence[Place]) -> Makes | None:
    """What the run must bring by its script; None where it is not held against one."""
    run, end = of_run[-1].event.run, next((p.event for p in of_run if p.event.kind in TERMINAL), None)
    disturbed = any(isinstance(row, Cancelled | Spoken) and row.run == run for row in rows)
    if disturbed or end is None or end.kind != Kind.COMPLETED:
        return None
    return next(row.makes for row in rows if isinstance(row, Asked) and row.request == end.request)


def users(rows: Rows, at: int) -> dict[int, str]:
    """Whose the sockets are that are open at a place."""
    found: dict[int, str] = {}
    for row in rows[:at]:
        if isinstance(row, Opened):
            found[row.conn] = row.user
        elif isinstance(row, Closed):
            del found[row.conn]
    return found


def stranger(rows: Rows, place: Place, rng: Random) -> tuple[int, str]:
    """A socket of somebody else, open at a place, and whose it is."""
    there = users(rows, place.at)
    return rng.choice([(conn, user) for conn, user in there.items() if user != owner(place.row)])


def without(rows: Rows, place: Place) -> Rows:
    return rows[: place.at] + rows[place.at + 1 :]


def changed(rows: Rows, place: Place, **fields: object) -> tuple[Rows, Place]:
    """The recording where one event says something else."""
    row = replace(place.row, event=replace(place.event, **fields))
    return [*rows[: place.at], row, *rows[place.at + 1 :]], Place(place.at, row)


def renumbered(rows: Rows, first: int, place: Place, by: int) -> Rows:
    """From `first` on, the numbers of the place's session and run are others."""
    made: Rows = []
    for at, row in enumerate(rows):
        if at >= first and isinstance(row, Received) and row.conn == place.row.conn and row.event.offset:
            seq = row.event.seq + by * (row.event.run == place.event.run)
            made.append(replace(row, event=replace(row.event, seq=seq, offset=row.event.offset + by)))
        else:
            made.append(row)
    return made
