"""Faults in what reaches whom, in messages and in time, and the exact findings that each must come to.

A mutation takes a correct recording and draws a place for its fault; it raises `IndexError` where the
recording has no such place. What it expects is reckoned from the rows themselves.
"""

from itertools import pairwise
from random import Random

from msgspec.structs import replace

from streamgauge.core.contract import Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.observation import (
    Asked,
    Cancelled,
    Malformed,
    Observation,
    Opened,
    Overheard,
    Received,
    Spoken,
)
from tests.support.analysed import UNTIL
from tests.support.history import SECOND, canary, heard, idea
from tests.support.mutated import (
    Mutated,
    Place,
    Rows,
    Told,
    changed,
    owner,
    runs,
    stranger,
    users,
    without,
)

R = Rule

# Between users


def misdirects(rows: Rows, rng: Random) -> Mutated:
    """An event is sent to another user's socket, too."""
    place = rng.choice([each for of_run in runs(rows) for each in of_run])
    return Mutated(*_sent_to(rows, place, *stranger(rows, place, rng)))


def transplants(rows: Rows, rng: Random) -> Mutated:
    """An event is sent to another user's socket instead."""
    place, after = rng.choice([pair for of_run in runs(rows) for pair in pairwise(of_run[1:])])
    faulty, expected = _sent_to(rows, place, *stranger(rows, place, rng))
    gap = after.breaks(R.SEQ_CONTIGUOUS, "gap", numbers=[place.event.seq])
    return Mutated(without(faulty, place), [*expected, gap], masked=True)


def _sent_to(rows: Rows, place: Place, conn: int, user: str) -> tuple[Rows, list[Told]]:
    offset, author = place.event.offset, owner(place.row)
    theirs = [each for of_run in runs(rows) for each in of_run if each.row.conn == conn]
    leak = Told(
        *(R.ISOLATION_CANARY, "another user's canary", user, conn, place.event.run),
        *(((place.event.seq, offset),), author),
    )
    expected = [leak, leak._replace(rule=R.ISOLATION_ENVELOPE, problem="another user's message")]
    if offset == 1 + sum(each.at < place.at for each in theirs):  # it took a number of theirs
        expected += [
            each.breaks(R.OFFSET_CONTIGUOUS, "repeat", numbers=[offset])
            for each in theirs
            if each.event.offset == offset
        ]
    copy = replace(place.row, conn=conn, foreign=canary(author))
    return [*rows[: place.at + 1], copy, *rows[place.at + 1 :]], expected


def names_another(rows: Rows, rng: Random) -> Mutated:
    """Another user's id stands on an event."""
    place = rng.choice([each for of_run in runs(rows) for each in of_run])
    other = rng.choice([*sorted(set(users(rows, len(rows)).values()) - {owner(place.row)}), "eve"])
    rows, _ = changed(rows, place, user=other)
    return Mutated(rows, [place.breaks(R.ISOLATION_ENVELOPE, "another user's message", other)])


def quotes_another(rows: Rows, rng: Random) -> Mutated:
    """Another user's words stand in an event."""
    place = rng.choice([each for of_run in runs(rows) for each in of_run])
    other = rng.choice([row.user for row in rows if isinstance(row, Opened) and row.user != owner(place.row)])
    faulty = list(rows)
    faulty[place.at] = replace(place.row, foreign=canary(other))
    return Mutated(faulty, [place.breaks(R.ISOLATION_CANARY, "another user's canary", other)])


def disguises(rows: Rows, rng: Random) -> Mutated:
    """An event of another user's run comes under one's own name."""
    place = rng.choice([each for of_run in runs(rows) for each in of_run])
    conn, user = stranger(rows, place, rng)
    event = replace(place.event, user=user, offset=0)
    stray = replace(place.row, conn=conn, event=event)
    leak = Told(
        *(R.ISOLATION_ENVELOPE, "an event of another user's run", user, conn, event.run),
        *(((event.seq, 0),), owner(place.row)),
    )
    return Mutated([*rows[: place.at + 1], stray, *rows[place.at + 1 :]], [leak])


def shares_an_id(rows: Rows, rng: Random) -> Mutated:
    """Two users' runs bear one id."""
    of_runs = [of_run[0].row for of_run in runs(rows)]
    pairs = [(a, b) for a in of_runs for b in of_runs if a.event.user < b.event.user]
    first, second = rng.choice(pairs)
    one, other = first.event, second.event
    faulty = [
        replace(row, event=replace(row.event, run=one.run))
        if isinstance(row, Received) and row.event.run == other.run
        else replace(row, run=one.run)
        if isinstance(row, Cancelled | Spoken) and row.run == other.run
        else row
        for row in rows
    ]
    problem = "one run id at two users"
    shared = Told(R.ISOLATION_ENVELOPE, problem, one.user, first.conn, one.run, other=other.user)
    return Mutated(faulty, [shared])


# Time


def falls_silent(rows: Rows, rng: Random) -> Mutated:
    """For 11 seconds nothing comes to anybody."""
    stop = rng.randint(1, len(rows) - 1)
    later = 11 * SECOND
    faulty = rows[:stop] + [_later(row, later) for row in rows[stop:]]
    asked = {row.request: row.at_ns for row in faulty[:stop] if isinstance(row, Asked)}
    expected = []
    for of_run in runs(faulty):
        began_ns = asked.get(f"q-{of_run[0].event.run}")
        after = next((each for each in of_run if each.at >= stop), None)
        if began_ns is not None and after is not None:
            before = [each.row.kernel_ns or each.row.at_ns for each in of_run if each.at < stop]
            silence = (after.row.kernel_ns or after.row.at_ns) - (before[-1] if before else began_ns)
            expected.append(after.breaks(R.NO_SILENCE, "silent", lasted_ns=silence))
    return Mutated(faulty, expected, until_ns=UNTIL + later)


def _later(row: Observation, by_ns: int) -> Observation:
    moved = replace(row, at_ns=row.at_ns + by_ns)
    if isinstance(moved, Asked):
        return replace(moved, due_ns=moved.due_ns + by_ns, deadline_ns=moved.deadline_ns + by_ns)
    if isinstance(moved, Received) and moved.kernel_ns:
        return replace(moved, kernel_ns=moved.kernel_ns + by_ns)
    return moved


def accepts_too_late(rows: Rows, rng: Random) -> Mutated:
    """A run is accepted after its deadline, and all of it comes after that."""
    at, acceptance = rng.choice(
        [
            (at, row)
            for at, row in enumerate(rows)
            if isinstance(row, Received) and row.event.kind == Kind.ACCEPTED
        ]
    )
    request = acceptance.event.request
    faulty = [
        replace(row, deadline_ns=rng.randint(row.at_ns + 1, acceptance.at_ns))
        if isinstance(row, Asked) and row.request == request
        else row
        for row in rows
    ]
    user = users(rows, at)[acceptance.conn]
    return Mutated(faulty, [Told(R.COMPLETE, "never began", user, acceptance.conn, guilty=((0, 0),))])


# Messages


def tears(rows: Rows, rng: Random) -> Mutated:
    """A message in mid-run cannot be read."""
    place, after = rng.choice([pair for of_run in runs(rows) for pair in pairwise(of_run[1:])])
    conn, user = place.row.conn, owner(place.row)
    torn = Malformed(conn, place.row.at_ns, 77, "no JSON")
    gap = after.breaks(R.SEQ_CONTIGUOUS, "gap", numbers=[place.event.seq])
    said = Told(R.PROTOCOL, "no JSON", user, conn, guilty=((0, 0),))
    return Mutated([*rows[: place.at], torn, *rows[place.at + 1 :]], [gap, said], masked=True)


def babbles(rows: Rows, rng: Random) -> Mutated:
    """A message that is none, more."""
    at = rng.randint(1, len(rows))
    conn, user = rng.choice(sorted(users(rows, at).items()))
    more = Malformed(conn, rows[at - 1].at_ns, 77, "no JSON")
    said = Told(R.PROTOCOL, "no JSON", user, conn, guilty=((0, 0),))
    return Mutated([*rows[:at], more, *rows[at:]], [said])


def whispers(rows: Rows, rng: Random) -> Mutated:
    """A control frame brings another user's canary."""
    at = rng.randint(1, len(rows))
    there = users(rows, at)
    conn, user = rng.choice(sorted(there.items()))
    author = rng.choice(sorted({*there.values()} - {user}))
    where = rng.choice(["ping", "pong", "close"])
    more = Overheard(conn, rows[at - 1].at_ns, 28, where, canary(author))
    said = Told(R.ISOLATION_CANARY, "another user's canary", user, conn, "", ((0, 0),), author)
    return Mutated([*rows[:at], more, *rows[at:]], [said])


def departs_from_its_protocol(rows: Rows, rng: Random) -> Mutated:
    place = rng.choice([each for of_run in runs(rows) for each in of_run])
    rows, _ = changed(rows, place, breach="out of place")
    return Mutated(rows, [place.breaks(R.PROTOCOL, "out of place")])


def speaks_of_nobodys_run(rows: Rows, rng: Random) -> Mutated:
    at = rng.randint(1, len(rows))
    conn, user = rng.choice(sorted(users(rows, at).items()))
    stray = heard(replace(idea(), user=user, run="nobody's", seq=1), conn)
    said = Told(
        *(R.PROTOCOL, "an event of a run that no socket asked for", user, conn, "nobody's"),
        guilty=((1, 0),),
    )
    return Mutated([*rows[:at], replace(stray, at_ns=rows[at - 1].at_ns), *rows[at:]], [said])


def accepts_what_nobody_asked(rows: Rows, rng: Random) -> Mutated:
    at = rng.randint(1, len(rows))
    conn, user = rng.choice(sorted(users(rows, at).items()))
    acceptance = heard(Event(Kind.ACCEPTED, run="nobody's", request="nobody's too"), conn)
    said = Told(
        *(R.ECHO, "accepted what was not asked, or once more", user, conn, "nobody's"),
        guilty=((0, 0),),
    )
    return Mutated([*rows[:at], replace(acceptance, at_ns=rows[at - 1].at_ns), *rows[at:]], [said])


OF_SESSIONS = (
    *(misdirects, transplants, names_another, quotes_another, disguises, shares_an_id),
    *(falls_silent, accepts_too_late, tears, babbles, whispers, departs_from_its_protocol),
    *(speaks_of_nobodys_run, accepts_what_nobody_asked),
)
