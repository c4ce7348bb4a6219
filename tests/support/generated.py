"""Valid recordings by the dozen, and what a faulty server would have made of them."""

from collections.abc import Iterator
from itertools import count, pairwise
from random import Random

from msgspec.structs import replace

from streamgauge.core.event import Event, Kind
from streamgauge.core.observation import (
    Asked,
    Cancelled,
    Clocked,
    Closed,
    Makes,
    Observation,
    Opened,
    Received,
    Spoken,
)
from tests.support.history import (
    SECOND,
    accepted,
    canary,
    completed,
    ended,
    failed,
    heard,
    idea,
    opened,
    part,
    run,
    started,
    thought,
    tool,
)

START = 5_000 * SECOND
_MS = 1_000_000
Rows = list[Observation]


def recording(users: int, runs: int, seed: int) -> Rows:
    """What a correct server leaves: sockets side by side, with one run or two at a time, some left early."""
    rng = Random(seed)
    conns = iter(count(1))
    names = iter(count(1))
    queues = [
        _socket(rng, f"user{n}", next(conns), [f"r{next(names)}" for _ in range(rng.randint(1, runs))])
        for n in range(users)
        for _ in range(rng.choice([1, 1, 2]))
    ]
    rows = []
    now = START
    while queues:
        queue = rng.choice(queues)
        now += rng.randint(1, 4) * _MS
        rows.append(_stamped(queue.pop(0), now, rng))
        queues = [queue for queue in queues if queue]
    return rows


def _socket(rng: Random, user: str, conn: int, names: list[str]) -> Rows:
    scripts = [_script(rng, user, conn, name) for name in names]
    rows: Rows = [opened(user, conn)]
    offsets = count(1)
    beside = rng.choice([1, 2])  # so many at a time
    while scripts:
        script = rng.choice(scripts[:beside])
        row = script.pop(0)
        if isinstance(row, Received) and row.event.seq:
            row = replace(row, event=replace(row.event, offset=next(offsets)))
        rows.append(row)
        scripts = [script for script in scripts if script]
    if rng.random() < 0.3:
        del rows[rng.randint(1, len(rows)) :]
    if rng.random() < 0.7:
        rows.append(Closed(conn, 0, 1000, ours=True))
    return rows


def _script(rng: Random, user: str, conn: int, name: str) -> Rows:
    request = f"q-{name}"
    fate = rng.choice(["completed", "completed", "failed", "cancelled", "run_lost", "refused"])
    if fate == "refused":
        asked = run(user=user, conn=conn, name=name, request=request).asked
        return [asked, heard(Event(Kind.REFUSED, request=request, status="busy"), conn)]
    events = _events(rng, fate)
    history = run(*events, user=user, conn=conn, name=name, request=request)
    makes, disturbed = _told(rng, events, fate)
    rows: Rows = [replace(history.asked, makes=makes), accepted(name, request, conn), *history.events]
    if fate == "cancelled" or disturbed is Cancelled:
        rows.insert(rng.randint(2, len(rows) - 1), Cancelled(conn, 0, name))
    elif disturbed is Spoken:
        rows.insert(rng.randint(2, len(rows) - 1), Spoken(conn, 0, name))
    return rows


def _told(
    rng: Random, events: list[Event], fate: str
) -> tuple[Makes | None, type[Cancelled | Spoken] | None]:
    """What the script makes, where there is one, and by what its user has the run depart from it."""
    kept = Makes(
        thoughts=len([event for event in events if event.kind == Kind.THINKING and not event.pipeline]),
        tools=len({event.call for event in events if event.call}),
        parts=len([event for event in events if event.kind == Kind.PARTIAL]),
    )
    more = Makes(kept.thoughts + rng.randint(0, 1), kept.tools + rng.randint(0, 2), kept.parts)
    if fate != "completed":
        return rng.choice([None, more]), None
    return rng.choice(
        [(None, None), (kept, None), (kept, None), (kept, Spoken), (more, Cancelled), (more, Spoken)]
    )


def _events(rng: Random, fate: str) -> list[Event]:
    body, running, parts, calls = [], [], 0, count(1)
    for _ in range(rng.randint(0, 8)):
        match rng.choice(["idea", "tool", "ended", "part"]):
            case "tool":
                running.append(f"c{next(calls)}")
                body.append(tool(running[-1]))
            case "ended" if running:
                body.append(ended(running.pop(rng.randrange(len(running)))))
            case "part":
                body.append(part(parts))
                parts += 1
            case _:
                body.append(idea(rng.randint(0, 3)))
    events = [started(), thought(1), thought(2), *body]
    if fate == "run_lost":
        return [*events, failed(fate)]
    events += [ended(call, "cancelled") for call in running]
    if fate == "completed":
        return [*events, thought(3), completed("sum", "sum" if parts else "")]
    return [*(events if running else events[: rng.randint(0, 3)]), failed(fate)]


def _stamped(row: Observation, now: int, rng: Random) -> Observation:
    match row:
        case Asked():
            return replace(row, at_ns=now, due_ns=now - rng.randint(0, 3), deadline_ns=now + 60 * SECOND)
        case Opened():
            return replace(row, at_ns=now, began_ns=now - 2 * _MS)
        case Received():
            kernel_ns = rng.choice([0, now - rng.randint(0, _MS)])
            emitted_ns = now - rng.randint(_MS, 9 * _MS) if row.event.seq else 0
            event = replace(row.event, emitted_ns=emitted_ns)
            return replace(
                row, at_ns=now, kernel_ns=kernel_ns, exact=bool(kernel_ns and rng.random() < 0.5), event=event
            )
    return replace(row, at_ns=now)


def greeted(rows: Rows, rng: Random) -> Rows:
    """The same of a server that greets, mostly."""
    greetings = {
        row: Received(row.conn, row.at_ns, 0, exact=False, size=50, event=Event(Kind.GREETING, user=row.user))
        for row in rows
        if isinstance(row, Opened) and rng.random() < 0.9
    }
    return [each for row in rows for each in (row, *([greetings[row]] if row in greetings else []))]


def on_two_machines(rows: Rows, rng: Random) -> Rows:
    """The same where another machine stamps some of the runs, by a clock that is mapped sooner or later."""
    there = {
        run
        for run in sorted({row.event.run for row in rows if isinstance(row, Received)})
        if rng.random() < 0.4
    }
    made: Rows = []
    for row in rows:
        if isinstance(row, Received) and row.event.seq and row.event.run in there:
            made.append(replace(row, event=replace(row.event, clock="there")))
        else:
            made.append(row)
        if rng.random() < 0.02:
            made.append(
                Clocked(row.conn, row.at_ns, "there", rng.randint(-SECOND, SECOND), rng.randint(0, _MS))
            )
    return made


# What a faulty server does to a correct recording, once, and at a place of the generator's choice


def dropped(rows: Rows, rng: Random) -> Rows:
    """An event that is neither the first nor the last of its run is lost."""
    places = [place for of_run in _runs(rows) for place in of_run[1:-1]]
    place = rng.choice(places)
    return rows[:place] + rows[place + 1 :]


def doubled(rows: Rows, rng: Random) -> Rows:
    """An event is sent twice."""
    place = rng.choice([place for of_run in _runs(rows) for place in of_run])
    return rows[: place + 1] + rows[place:]


def swapped_neighbours(rows: Rows, rng: Random) -> Rows:
    """Two neighbours of a run change places."""
    one, two = rng.choice([pair for of_run in _runs(rows) for pair in pairwise(of_run)])
    first, second = rows[one], rows[two]
    assert isinstance(first, Received)
    assert isinstance(second, Received)
    rows = list(rows)
    rows[one], rows[two] = replace(first, event=second.event), replace(second, event=first.event)
    return rows


def misdirected(rows: Rows, rng: Random) -> Rows:
    """An event is sent to another user's socket, too."""
    place, conn = rng.choice(list(_misdirections(rows)))
    row = rows[place]
    assert isinstance(row, Received)
    copy = replace(row, conn=conn, foreign=canary(row.event.user))
    return [*rows[: place + 1], copy, *rows[place + 1 :]]


def _misdirections(rows: Rows) -> Iterator[tuple[int, int]]:
    users: dict[int, str] = {}
    for place, row in enumerate(rows):
        match row:
            case Opened():
                users[row.conn] = row.user
            case Closed():
                del users[row.conn]
            case Received() if row.event.seq:
                yield from ((place, conn) for conn, user in users.items() if user != row.event.user)


def _runs(rows: Rows) -> list[list[int]]:
    """The places of every run's events."""
    runs: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        if isinstance(row, Received) and row.event.seq:
            runs.setdefault(row.event.run, []).append(place)
    return list(runs.values())
