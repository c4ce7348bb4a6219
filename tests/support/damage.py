"""What several faults at once make of a recording, and what time does to it."""

from random import Random

from msgspec.structs import replace

from streamgauge.core.event import Kind
from streamgauge.core.observation import Asked, Closed, Makes, Observation, Received
from tests.support.generated import doubled, misdirected, swapped_neighbours
from tests.support.history import idea

Rows = list[Observation]


def damaged(rows: Rows, rng: Random) -> Rows:
    """Several faults at once, the worst there are."""
    for _ in range(rng.randint(0, 4)):
        mutate = rng.choice(_FAULTS)
        try:
            rows = mutate(rows, rng)
        except IndexError:  # there is no such place in it
            continue
    return rows


def renamed(rows: Rows, rng: Random) -> Rows:
    """One run's id becomes another's."""
    runs = [row.event.run for row in rows if isinstance(row, Received) and row.event.run]
    one, other = rng.choice(runs), rng.choice(runs)
    return [
        replace(row, event=replace(row.event, run=other))
        if isinstance(row, Received) and row.event.run == one
        else row
        for row in rows
    ]


def impersonated(rows: Rows, rng: Random) -> Rows:
    """From some event on, a run bears another user's name."""
    place = rng.choice(_events(rows))
    first = rows[place]
    assert isinstance(first, Received)
    user = rng.choice([row.event.user for row in rows if isinstance(row, Received) and row.event.seq])
    return rows[:place] + [
        replace(row, event=replace(row.event, user=user))
        if isinstance(row, Received) and row.event.seq and row.event.run == first.event.run
        else row
        for row in rows[place:]
    ]


def never_sent(rows: Rows, rng: Random) -> Rows:
    """An event is lost before the session numbers it: only its run knows."""
    place = rng.choice(_events(rows))
    return rows[:place] + _renumbered(rows[place + 1 :], rows[place].conn, -1)


def premature(rows: Rows, rng: Random) -> Rows:
    """A later event of a run comes before the run is accepted."""
    accepted = [
        (place, row.event.run)
        for place, row in enumerate(rows)
        if isinstance(row, Received) and row.event.kind == Kind.ACCEPTED
    ]
    place, run = rng.choice(accepted)
    later = rng.choice([at for at in _events(rows) if at > place and _run(rows[at]) == run])
    moved = replace(rows[later], at_ns=rows[place].at_ns)
    return [*rows[:place], moved, *rows[place:later], *rows[later + 1 :]]


def _run(row: Observation) -> str:
    return row.event.run if isinstance(row, Received) else ""


def prolonged(rows: Rows, rng: Random) -> Rows:
    """A run goes on after its end, in good order."""
    ends = [
        (place, row)
        for place, row in enumerate(rows)
        if isinstance(row, Received) and row.event.kind in {Kind.COMPLETED, Kind.FAILED}
    ]
    place, end = rng.choice(ends)
    more = [
        replace(
            end,
            event=replace(
                idea(),
                user=end.event.user,
                run=end.event.run,
                thread=end.event.thread,
                agent=end.event.agent,
                clock=end.event.clock,
                emitted_ns=end.event.emitted_ns,
                seq=end.event.seq + n,
                offset=end.event.offset + n,
            ),
        )
        for n in range(1, rng.randint(2, 3))
    ]
    return [*rows[: place + 1], *more, *_renumbered(rows[place + 1 :], end.conn, len(more))]


def silenced(rows: Rows, rng: Random) -> Rows:
    """A run was to emit nothing, and does."""
    place = rng.choice([place for place, row in enumerate(rows) if isinstance(row, Asked)])
    asked = rows[place]
    assert isinstance(asked, Asked)
    return [*rows[:place], replace(asked, silent=True), *rows[place + 1 :]]


def unscripted(rows: Rows, rng: Random) -> Rows:
    """A run does its work, but not that of its script."""
    place, asked = rng.choice([(place, row) for place, row in enumerate(rows) if isinstance(row, Asked)])
    makes = asked.makes or Makes()
    other = rng.choice(
        [
            Makes(rng.randint(0, 3), rng.randint(0, 3), rng.randint(0, 3)),
            replace(makes, thoughts=makes.thoughts + 1),
            replace(makes, tools=makes.tools + 1),
            replace(makes, parts=makes.parts + 1),
        ]
    )
    return [*rows[:place], replace(asked, makes=other), *rows[place + 1 :]]


def _events(rows: Rows) -> list[int]:
    """The places of the events of runs."""
    return [place for place, row in enumerate(rows) if isinstance(row, Received) and row.event.seq]


def _renumbered(rows: Rows, conn: int, by: int) -> Rows:
    return [
        replace(row, event=replace(row.event, offset=row.event.offset + by))
        if isinstance(row, Received) and row.conn == conn and row.event.offset
        else row
        for row in rows
    ]


_FAULTS = (
    premature,
    *(doubled, swapped_neighbours, misdirected, renamed),
    *(impersonated, never_sent, prolonged, silenced, unscripted),
)


# What time does to it


def hurried(rows: Rows, rng: Random) -> Rows:
    """Deadlines that come when rows do, or a nanosecond beside."""
    times = [row.at_ns for row in rows]
    return [
        replace(
            row, deadline_ns=times[rng.randint(place, min(place + 60, len(times) - 1))] + rng.randint(-1, 1)
        )
        if isinstance(row, Asked) and rng.random() < 0.6
        else row
        for place, row in enumerate(rows)
    ]


def belated(rows: Rows, rng: Random) -> Rows:
    """Some messages come later than they would have, many after their run's end; fewer sockets close."""
    stay = rng.random()
    rows = [row for row in rows if not isinstance(row, Closed) or rng.random() > stay]
    for _ in range(rng.randint(0, 6)):
        place = rng.randrange(len(rows))
        row = rows[place]
        if isinstance(row, Received):
            later = min(place + rng.randint(1, 80), len(rows) - 1)
            times = [row.at_ns for row in rows]
            rows.insert(later, rows.pop(place))
            rows = [replace(row, at_ns=at_ns) for row, at_ns in zip(rows, times, strict=True)]
    return [
        replace(row, kernel_ns=min(row.kernel_ns, row.at_ns)) if isinstance(row, Received) else row
        for row in rows
    ]


def asked_again(rows: Rows, rng: Random) -> Rows:
    """A request is sent once more, later."""
    rows = list(rows)
    for asked in [row for row in rows if isinstance(row, Asked) and rng.random() < 0.1]:
        later = rng.randint(rows.index(asked), len(rows) - 1)
        if not any(isinstance(row, Closed) for row in rows[:later] if row.conn == asked.conn):
            rows.insert(later, replace(asked, at_ns=rows[later].at_ns))
    return rows
