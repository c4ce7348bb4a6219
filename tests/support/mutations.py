"""One fault each, put into a correct recording, and the exact findings that it must come to.

A mutation takes a correct recording and draws a place for its fault; it raises `IndexError` where the
recording has no such place. What it expects is reckoned from the rows themselves.
"""

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import NamedTuple

from msgspec.structs import replace

from streamgauge.core.contract import Rule
from streamgauge.core.event import TERMINAL, Event, Kind
from streamgauge.core.finding import Finding
from streamgauge.core.observation import Asked, Cancelled, Closed, Malformed, Observation, Opened, Received
from tests.support.analysed import UNTIL
from tests.support.history import SECOND, canary, heard, idea

R = Rule
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


class Mutated(NamedTuple):
    """A faulty recording; `masked` tells that a gap keeps the rules that depend on it from one run."""

    rows: Rows
    expected: list[Told]
    masked: bool = False
    until_ns: int = UNTIL


def told(finding: Finding) -> Told:
    guilty = tuple((seen.seq, seen.offset) for seen in finding.witnesses if seen.guilty)
    return Told(finding.rule, finding.problem, finding.user, finding.conn, finding.run, guilty, finding.other)


class Place(NamedTuple):
    """An event of a run, and where it stands."""

    at: int
    row: Received

    @property
    def event(self) -> Event:
        return self.row.event

    def breaks(self, rule: Rule, problem: str, other: str = "") -> Told:
        event = self.event
        user, guilty = owner(self.row), ((event.seq, event.offset),)
        return Told(rule, problem, user, self.row.conn, event.run, guilty, other)


def owner(row: Received) -> str:
    return row.event.user


def runs(rows: Rows) -> list[list[Place]]:
    """The events of every run that has any."""
    found: dict[str, list[Place]] = {}
    for at, row in enumerate(rows):
        if isinstance(row, Received) and row.event.seq:
            found.setdefault(row.event.run, []).append(Place(at, row))
    return list(found.values())


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


# Numbers


def loses(rows: Rows, rng: Random) -> Mutated:
    """An event in mid-run."""
    place, after = rng.choice([pair for of_run in runs(rows) for pair in pairwise(of_run[1:])])
    gap = after.breaks(R.SEQ_CONTIGUOUS, f"gap: seq {place.event.seq} never came")
    return Mutated(without(rows, place), [gap], masked=True)


def loses_the_head(rows: Rows, rng: Random) -> Mutated:
    of_run = rng.choice([each for each in runs(rows) if len(each) > 1 and each[0].event.kind == Kind.STARTED])
    head = of_run[1].breaks(R.STARTED_FIRST, "head missing: seq 1 never came")
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
            *(R.OFFSET_CONTIGUOUS, f"gap: offset {place.event.offset} never came"),
            *(owner(place.row), place.row.conn),
            guilty=((after.event.seq, after.event.offset),),
        )
        for after in later
    ]
    return Mutated(_waiting(without(rows, place), place), [_hanging(of_run), *gaps])


def _hanging(of_run: Sequence[Place]) -> Told:
    if len(of_run) > 1:
        return of_run[-2].breaks(R.COMPLETE, "never ended")
    return of_run[0].breaks(R.COMPLETE, "never began")._replace(guilty=())


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
    repeat = place.breaks(R.SEQ_CONTIGUOUS, f"repeat of seq {place.event.seq}")
    return Mutated([*rows[: later + 1], again, *rows[later + 1 :]], [repeat])


def swaps(rows: Rows, rng: Random) -> Mutated:
    """Two neighbours of a run change places; what stands between them came after what it should precede."""
    one, two = rng.choice([pair for of_run in runs(rows) for pair in pairwise(of_run)])
    faulty = list(rows)
    faulty[one.at] = replace(one.row, event=two.event)
    faulty[two.at] = replace(two.row, event=one.event)
    between = [
        each.breaks(R.OFFSET_CONTIGUOUS, f"step back to offset {each.event.offset}")
        for of_run in runs(rows)
        for each in of_run
        if each.row.conn == one.row.conn and one.at < each.at < two.at
    ]
    return Mutated(faulty, [one.breaks(R.SEQ_CONTIGUOUS, f"step back to seq {one.event.seq}"), *between])


# Between users


def misdirects(rows: Rows, rng: Random) -> Mutated:
    """An event is sent to another user's socket, too."""
    place = rng.choice([each for of_run in runs(rows) for each in of_run])
    return Mutated(*_sent_to(rows, place, *stranger(rows, place, rng)))


def transplants(rows: Rows, rng: Random) -> Mutated:
    """An event is sent to another user's socket instead."""
    place, after = rng.choice([pair for of_run in runs(rows) for pair in pairwise(of_run[1:])])
    faulty, expected = _sent_to(rows, place, *stranger(rows, place, rng))
    gap = after.breaks(R.SEQ_CONTIGUOUS, f"gap: seq {place.event.seq} never came")
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
            each.breaks(R.OFFSET_CONTIGUOUS, f"repeat to offset {offset}")
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
    of_runs = [of_run[0].event for of_run in runs(rows)]
    one, other = rng.choice([(a, b) for a in of_runs for b in of_runs if a.user < b.user])
    faulty = [
        replace(row, event=replace(row.event, run=one.run))
        if isinstance(row, Received) and row.event.run == other.run
        else replace(row, run=one.run)
        if isinstance(row, Cancelled) and row.run == other.run
        else row
        for row in rows
    ]
    shared = Told(R.ISOLATION_ENVELOPE, "one run id at two users", one.user, 0, one.run, other=other.user)
    return Mutated(faulty, [shared])


# What a run says


def corrupts(rows: Rows, rng: Random) -> Mutated:
    """A byte of a delta is another."""
    streamed = [
        of_run for of_run in runs(rows) if of_run[-1].event.answer and any(e.event.index == 0 for e in of_run)
    ]
    end = rng.choice(streamed)[-1]
    rows, _ = changed(rows, end, joined="another")
    return Mutated(rows, [end.breaks(R.PARTIAL_INTEGRITY, "deltas do not join to the answer")])


def never_sends(rows: Rows, rng: Random) -> Mutated:
    """An event is never sent, and the numbers go on without it: only the rules of its kind can tell."""
    of_run = rng.choice([each for each in runs(rows) if len(each) > 1])
    place = rng.choice(of_run[:-1])
    faulty = renumbered(without(rows, place), place.at, place, -1)
    if place.event.kind == Kind.PARTIAL and of_run[-1].event.answer:
        end = runs(faulty)[[each[0].event.run for each in runs(faulty)].index(place.event.run)][-1]
        faulty, _ = changed(faulty, end, joined="another")
    left = next(each for each in runs(faulty) if each[0].event.run == place.event.run)
    return Mutated(faulty, _missed(place.event, left[of_run.index(place) :], left))


def _missed(lost: Event, rest: list[Place], of_run: list[Place]) -> list[Told]:
    """What gives away that this was never sent, with the rest of its run as it came."""
    after = rest[0]
    legal = after.event.kind == Kind.FAILED  # wherever a run stands
    if lost.kind == Kind.STARTED:
        return [] if legal else [after.breaks(R.STARTED_FIRST, "no start before it")]
    if lost.pipeline:
        return [] if legal else [after.breaks(R.THINKING_PRESENT, f"step {lost.step} missing")]
    if lost.kind == Kind.TOOL_EXECUTING:
        ends = [each for each in rest if each.event.call == lost.call]
        return [each.breaks(R.TOOL_PAIRING, "tool completed that was not running") for each in ends]
    if lost.kind == Kind.TOOL_COMPLETED:
        if of_run[-1].event.kind not in TERMINAL or of_run[-1].event.cut:
            return []
        begun = next(each for each in of_run if each.event.call == lost.call)
        return [begun.breaks(R.TOOL_PAIRING, "tool never completed")]
    if lost.kind == Kind.PARTIAL:
        for each in rest:
            if each.event.kind == Kind.PARTIAL:
                text = f"index {each.event.index} where {lost.index} was due"
                return [each.breaks(R.PARTIAL_INTEGRITY, text)]
        streamed = any(each.event.kind == Kind.PARTIAL for each in of_run)
        if streamed and of_run[-1].event.answer:
            return [of_run[-1].breaks(R.PARTIAL_INTEGRITY, "deltas do not join to the answer")]
    return []


def goes_on(rows: Rows, rng: Random) -> Mutated:
    """A second end, or something else, after a run's end."""
    end = rng.choice([each[-1] for each in runs(rows) if each[-1].event.kind in TERMINAL])
    seq, offset = end.event.seq + 1, end.event.offset + 1
    kind, name = rng.choice(
        [
            (Kind.COMPLETED, "agent completed"),
            (Kind.FAILED, "agent error"),
            (Kind.THINKING, "agent's thought, tool or partial result"),
        ]
    )
    more = Place(end.at, replace(end.row, event=replace(end.event, kind=kind, seq=seq, offset=offset)))
    rows = [*rows[: end.at + 1], more.row, *renumbered(rows[end.at + 1 :], 0, more, 1)]
    return Mutated(rows, [more.breaks(R.TERMINAL_LAST, f"{name} after the end")])


def comes_late(rows: Rows, rng: Random) -> Mutated:
    """An event, long after its run was settled."""
    end = rng.choice([each[-1] for each in runs(rows) if each[-1].event.kind in TERMINAL])
    conn, now = end.row.conn, rows[-1].at_ns + 3 * SECOND
    highest = max(each.event.offset for of_run in runs(rows) for each in of_run if each.row.conn == conn)
    event = replace(end.event, kind=Kind.WORK, seq=end.event.seq + 1, offset=highest + 1)
    late = Place(len(rows), Received(conn, now, 0, exact=False, size=50, event=event))
    stays = [row for row in rows if not (isinstance(row, Closed) and row.conn == conn)]
    return Mutated([*stays, late.row], [late.breaks(R.TERMINAL_LAST, "long after the run was settled")])


def echoes_wrongly(rows: Rows, rng: Random) -> Mutated:
    field, name = rng.choice(
        [("request", "request"), ("context", "context"), ("thread", "thread"), ("agent", "agent")]
    )
    everywhere = field in {"thread", "agent"}
    place = rng.choice(
        [
            each
            for of_run in runs(rows)
            for each in of_run
            if everywhere or each.event.kind in {Kind.STARTED, *TERMINAL}
        ]
    )
    rows, _ = changed(rows, place, **{field: "another"})
    return Mutated(rows, [place.breaks(R.ECHO, f"another {name}")])


def ends_in_a_cancel_nobody_asked_for(rows: Rows, rng: Random) -> Mutated:
    end = rng.choice(
        [e[-1] for e in runs(rows) if e[-1].event.kind == Kind.FAILED and e[-1].event.status == "cancelled"]
    )
    rows = [row for row in rows if not (isinstance(row, Cancelled) and row.run == end.event.run)]
    return Mutated(rows, [end.breaks(R.COMPLETE, "cancelled, and its user had not asked for it")])


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
            expected.append(after.breaks(R.NO_SILENCE, f"silent for {silence / 1e9:.1f} s"))
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
    return Mutated(faulty, [Told(R.COMPLETE, "never began", user, acceptance.conn)])


# Messages


def tears(rows: Rows, rng: Random) -> Mutated:
    """A message in mid-run cannot be read."""
    place, after = rng.choice([pair for of_run in runs(rows) for pair in pairwise(of_run[1:])])
    conn, user = place.row.conn, owner(place.row)
    torn = Malformed(conn, place.row.at_ns, 77, "no JSON")
    gap = after.breaks(R.SEQ_CONTIGUOUS, f"gap: seq {place.event.seq} never came")
    said = Told(R.PROTOCOL, "no JSON", user, conn, guilty=((0, 0),))
    return Mutated([*rows[: place.at], torn, *rows[place.at + 1 :]], [gap, said], masked=True)


def babbles(rows: Rows, rng: Random) -> Mutated:
    """A message that is none, more."""
    at = rng.randint(1, len(rows))
    conn, user = rng.choice(sorted(users(rows, at).items()))
    more = Malformed(conn, rows[at - 1].at_ns, 77, "no JSON")
    said = Told(R.PROTOCOL, "no JSON", user, conn, guilty=((0, 0),))
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


MUTATIONS = (
    *(loses, loses_the_head, hangs, loses_the_tail, repeats, swaps),
    *(misdirects, transplants, names_another, quotes_another, disguises, shares_an_id),
    *(corrupts, never_sends, goes_on, comes_late, echoes_wrongly, ends_in_a_cancel_nobody_asked_for),
    *(falls_silent, accepts_too_late, tears, babbles, departs_from_its_protocol),
    *(speaks_of_nobodys_run, accepts_what_nobody_asked),
)
