"""What the naive checker says of a session's offsets: which came again, or too late."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from streamgauge.core.event import Event
from streamgauge.core.observation import Observation, Received
from tests.support.naive_numbers import shown


class Naive(NamedTuple):
    """One finding: of which rule, what kind of breach, on whose socket, of which run, and its numbers."""

    rule: str
    problem: str
    user: str
    conn: int
    run: str = ""
    other: str = ""
    numbers: tuple[tuple[int, int], ...] = ()
    more: int = 0
    lasted_ns: int = 0


class Departure(NamedTuple):
    """An offset that came again or too late, and the highest that there was by then."""

    problem: str
    highest: int
    row: Received


def in_rows(departures: Sequence[Departure], user: str) -> Iterator[Naive]:
    """Those of one kind that follow each other before the session comes any further are one finding."""
    for (problem, _), together in groupby(departures, key=lambda departure: departure[:2]):
        came = [departure.row for departure in together]
        pairs: list[tuple[int, int]] = []
        for number in (row.event.offset for row in came):
            joins = bool(pairs) and pairs[-1][1] == number - 1
            pairs[-1:] = [(pairs[-1][0], number)] if joins else [*pairs[-1:], (number, number)]
        first = came[0]
        yield Naive(
            *("offset-contiguous", problem, user, first.conn, first.event.run, "", *shown(pairs)),
        )


def offsets(rows: Sequence[Observation], user: str) -> list[int]:
    """The numbers of a session so far."""
    seen: list[int] = []
    for row in rows:
        if isinstance(row, Received) and row.event.offset and counts(row.event, user, seen):
            seen.append(row.event.offset)
    return seen


def counts(event: Event, user: str, seen: Sequence[int]) -> bool:
    """Another user's event takes a number only where it is the very next."""
    return event.user in ("", user) or event.offset == max(seen, default=0) + 1
