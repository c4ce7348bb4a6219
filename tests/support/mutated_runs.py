"""Faults in what a run says and in what it lacks, and the exact findings that each must come to.

A mutation takes a correct recording and draws a place for its fault; it raises `IndexError` where the
recording has no such place. What it expects is reckoned from the rows themselves.
"""

from random import Random

from msgspec.structs import replace

from streamgauge.core.contract import Rule
from streamgauge.core.event import TERMINAL, Event, Kind
from streamgauge.core.observation import Cancelled, Closed, Received
from tests.support.history import SECOND
from tests.support.mutated import (
    Mutated,
    Place,
    Rows,
    Told,
    changed,
    due,
    renumbered,
    runs,
    without,
)

R = Rule

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
    missed = _missed(place.event, left[of_run.index(place) :], left)
    return Mutated(faulty, missed or _unlike_the_script(rows, of_run, place.event.kind, -1))


def _unlike_the_script(rows: Rows, of_run: list[Place], kind: int, by: int) -> list[Told]:
    """What a script gives away of a run that has so many more of a kind of event than it makes."""
    told_to = {
        Kind.THINKING: (R.THINKING_PRESENT, "not the thoughts of the script", "thoughts"),
        Kind.TOOL_EXECUTING: (R.TOOL_PAIRING, "not the tools of the script", "tools"),
        Kind.PARTIAL: (R.PARTIAL_INTEGRITY, "not the parts of the script", "parts"),
    }
    makes = due(rows, of_run)
    if makes is None or kind not in told_to:
        return []
    rule, problem, what = told_to[Kind(kind)]
    wanted = getattr(makes, what)
    end = Place(of_run[-1].at, of_run[-1].row)
    seq, offset = end.event.seq + by, end.event.offset + by
    moved = Place(end.at, replace(end.row, event=replace(end.event, seq=seq, offset=offset)))
    return [moved.breaks(rule, problem, numbers=(wanted + by, wanted))]


def _agents(of_run: list[Place], kind: int) -> list[Place]:
    """The events of a kind, and of what else belongs to it, that are the agent's own work."""
    pair = {Kind.TOOL_EXECUTING, Kind.TOOL_COMPLETED}
    kinds = pair if kind in pair else {kind}
    return [each for each in of_run if each.event.kind in kinds and not each.event.pipeline]


def leaves_out(rows: Rows, rng: Random) -> Mutated:
    """A whole tool call, a thought of the agent or all parts are never sent, and the numbers go on."""
    held = [of_run for of_run in runs(rows) if due(rows, of_run)]
    of_run, kind = rng.choice(
        [
            (each, kind)
            for each in held
            for kind in (Kind.THINKING, Kind.TOOL_EXECUTING, Kind.PARTIAL)
            if _agents(each, kind)
        ]
    )
    lost = _agents(of_run, kind)
    if kind != Kind.PARTIAL:
        one = rng.choice(lost)
        lost = [each for each in lost if each.event.call == one.event.call] if one.event.call else [one]
    faulty = rows
    for place in reversed(lost):
        faulty = renumbered(without(faulty, place), place.at, place, -1)
    if kind == Kind.PARTIAL:
        faulty, _ = changed(
            faulty, next(e for e in _of(faulty, of_run) if e.event.kind in TERMINAL), joined=""
        )
    told = _unlike_the_script(rows, of_run, kind, -len(lost) if kind == Kind.PARTIAL else -1)
    end = _of(faulty, of_run)[-1].event
    return Mutated(faulty, [each._replace(guilty=((end.seq, end.offset),)) for each in told])


def adds(rows: Rows, rng: Random) -> Mutated:
    """The agent thinks once more than its script says."""
    of_run, place = rng.choice(
        [
            (of_run, place)
            for of_run in runs(rows)
            if due(rows, of_run)
            for place in of_run
            if place.event.pipeline and place.event.step == 2
        ]
    )
    seq, offset = place.event.seq + 1, place.event.offset + 1
    more = replace(place.row, event=replace(place.event, pipeline=False, step=0, seq=seq, offset=offset))
    faulty = [*rows[: place.at + 1], more, *renumbered(rows[place.at + 1 :], 0, place, 1)]
    return Mutated(faulty, _unlike_the_script(rows, of_run, Kind.THINKING, 1))


def _of(rows: Rows, of_run: list[Place]) -> list[Place]:
    """The same run in another recording."""
    return next(each for each in runs(rows) if each[0].event.run == of_run[0].event.run)


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
                came_and_due = each.event.index, lost.index
                return [each.breaks(R.PARTIAL_INTEGRITY, "wrong index", numbers=came_and_due)]
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


OF_RUNS = (
    *(
        corrupts,
        never_sends,
        leaves_out,
        adds,
        goes_on,
        comes_late,
        echoes_wrongly,
        ends_in_a_cancel_nobody_asked_for,
    ),
)
