"""One fault each, put into a correct recording, and the exact findings that it must come to.

A mutation takes a correct recording and draws a place for its fault; it raises `IndexError` where the
recording has no such place. What it expects is reckoned from the rows themselves.
"""

from collections.abc import Sequence
from itertools import pairwise
from random import Random

from msgspec.structs import replace

from streamgauge.core.contract import Rule
from streamgauge.core.event import TERMINAL, Kind
from streamgauge.core.observation import Asked, Closed
from tests.support.history import SECOND
from tests.support.mutated import (
    Mutated,
    Place,
    Rows,
    Told,
    owner,
    renumbered,
    runs,
    without,
)
from tests.support.mutated_runs import OF_RUNS
from tests.support.mutated_sessions import OF_SESSIONS

R = Rule

# Numbers


def loses(rows: Rows, rng: Random) -> Mutated:
    """An event in mid-run."""
    place, after = rng.choice([pair for of_run in runs(rows) for pair in pairwise(of_run[1:])])
    gap = after.breaks(R.SEQ_CONTIGUOUS, "gap", numbers=[place.event.seq])
    return Mutated(without(rows, place), [gap], masked=True)


def loses_the_head(rows: Rows, rng: Random) -> Mutated:
    of_run = rng.choice([each for each in runs(rows) if len(each) > 1 and each[0].event.kind == Kind.STARTED])
    head = of_run[1].breaks(R.STARTED_FIRST, "head missing", numbers=[1])
    return Mutated(without(rows, of_run[0]), [head], masked=True)


def hangs(rows: Rows, rng: Random) -> Mutated:
    """The end is never sent."""
    of_run = rng.choice([each for each in runs(rows) if each[-1].event.kind in TERMINAL])
    place = of_run[-1]
    faulty = _waiting(renumbered(without(rows, place), place.at, place, -1), place)
    return Mutated(faulty, [_hanging(of_run)])


def loses_the_tail(rows: Rows, rng: Random) -> Mutated:
    """The end is numbered, and lost: the session shows it, too, where it goes on."""
    of_run = rng.choice([each for each in runs(rows) if each[-1].event.kind in TERMINAL])
    place = of_run[-1]
    later = [
        each
        for others in runs(rows)
        for each in others
        if each.row.conn == place.row.conn and each.event.offset == place.event.offset + 1
    ]
    gaps = [
        Told(
            *(R.OFFSET_CONTIGUOUS, "gap", owner(place.row), place.row.conn),
            guilty=((after.event.seq, after.event.offset),),
            numbers=((place.event.offset, place.event.offset),),
        )
        for after in later
    ]
    return Mutated(_waiting(without(rows, place), place), [_hanging(of_run), *gaps])


def _hanging(of_run: Sequence[Place]) -> Told:
    if len(of_run) > 1:
        return of_run[-2].breaks(R.COMPLETE, "never ended")
    return of_run[0].breaks(R.COMPLETE, "never began")._replace(guilty=((0, 0),))  # its request


def _waiting(rows: Rows, place: Place) -> Rows:
    """The user of a run stays until its deadline is over, which comes soon after all else."""
    conn, last_ns = place.row.conn, rows[-1].at_ns
    asked = f"q-{place.event.run}"
    made = [
        replace(row, deadline_ns=last_ns + SECOND) if isinstance(row, Asked) and row.request == asked else row
        for row in rows
        if not (isinstance(row, Closed) and row.conn == conn)
    ]
    return [*made, Closed(conn, last_ns + SECOND, 1000, ours=True)]


def repeats(rows: Rows, rng: Random) -> Mutated:
    """An event comes again, at once or a little later."""
    place = rng.choice([each for of_run in runs(rows) for each in of_run])
    conn = place.row.conn
    ends = [at for at, row in enumerate(rows) if isinstance(row, Closed) and row.conn == conn]
    later = rng.randint(place.at, min([place.at + 20, len(rows) - 1, *(end - 1 for end in ends)]))
    again = replace(place.row, at_ns=rows[later].at_ns, kernel_ns=0)
    repeat = place.breaks(R.SEQ_CONTIGUOUS, "repeat", numbers=[place.event.seq])
    return Mutated([*rows[: later + 1], again, *rows[later + 1 :]], [repeat])


def swaps(rows: Rows, rng: Random) -> Mutated:
    """Two neighbours of a run change places; what stands between them came after what it should precede."""
    one, two = rng.choice([pair for of_run in runs(rows) for pair in pairwise(of_run)])
    faulty = list(rows)
    faulty[one.at] = replace(one.row, event=two.event)
    faulty[two.at] = replace(two.row, event=one.event)
    places = sorted((each for of_run in runs(rows) for each in of_run), key=lambda each: each.at)
    between = [each for each in places if each.row.conn == one.row.conn and one.at < each.at < two.at]
    in_a_row = []
    if between:
        first, last = between[0], between[-1]
        told = first.breaks(R.OFFSET_CONTIGUOUS, "step back")
        in_a_row = [told._replace(numbers=((first.event.offset, last.event.offset),))]
    late = one.breaks(R.SEQ_CONTIGUOUS, "step back", numbers=[one.event.seq])
    return Mutated(faulty, [late, *in_a_row])


MUTATIONS = (
    *(loses, loses_the_head, hangs, loses_the_tail, repeats, swaps),
    *OF_RUNS,
    *OF_SESSIONS,
)
