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


OF_RUNS = (*(corrupts, never_sends, goes_on, comes_late, echoes_wrongly, ends_in_a_cancel_nobody_asked_for),)
