"""Rows as a reader that gathers plain events would have made them: `unfolded` in the other direction."""

from array import array
from collections.abc import Sequence
from itertools import pairwise, takewhile
from random import Random

from msgspec.structs import replace

from streamgauge.core.event import Event, Kind
from streamgauge.core.history import History, terminal
from streamgauge.core.observation import Observation, Received, Stretch
from streamgauge.core.stretch import KIND_BITS, MOST_CALLS, STATUS
from tests.support.history import SECOND

_MOST_STEP = 15


def read_together(rows: Sequence[Observation], rng: Random, start_ns: int) -> list[Observation]:
    """The rows as if several had been read at once: of one connection, in one moment, with one stamp."""
    reads: list[list[Observation]] = []
    mostly = rng.choice([0.5, 0.9, 1])
    for row in sorted(rows, key=lambda row: (row.at_ns // (SECOND // 4), row.conn)):
        together = reads and reads[-1][0].conn == row.conn and rng.random() < mostly
        if together and isinstance(row, Received) and isinstance(reads[-1][0], Received):
            reads[-1].append(row)
        else:
            reads.append([row])
    return [
        row
        for number, read in enumerate(reads)
        for row in _read_at(start_ns + number * SECOND // 1000, read, rng)
    ]


def _read_at(now_ns: int, rows: list[Observation], rng: Random) -> list[Observation]:
    kernel_ns = rng.choice([0, now_ns - 1000])
    return [
        replace(row, at_ns=now_ns, kernel_ns=kernel_ns, exact=kernel_ns > 0 and place == len(rows) - 1)
        if isinstance(row, Received)
        else replace(row, at_ns=now_ns)
        for place, row in enumerate(rows)
    ]


def stretched(rows: Sequence[Observation], rng: Random) -> list[Observation]:
    """The same with stretches: mostly as long as they can be, some shorter, and some events left alone."""
    made: list[Observation] = []
    place = 0
    while place < len(rows):
        most = _reach(rows[place : place + 256])
        least = 2 if _accepts(rows[place]) else 1
        if most >= least and rng.random() < 0.9:
            count = most if rng.random() < 0.7 else rng.randint(least, most)
            made.append(gathered([row for row in rows[place : place + count] if isinstance(row, Received)]))
            place += count
        else:
            made.append(rows[place])
            place += 1
    return made


def gathered(rows: Sequence[Received]) -> Stretch:
    """One stretch of these, which must be plain events of one run, maybe after its acceptance."""
    acceptance = rows[0] if _accepts(rows[0]) else None
    events = [row.event for row in rows if row is not acceptance]
    first, last = rows[-len(events)], rows[-1]
    ((request, context),) = _openings(events) or {("", "")}
    parts = [event for event in events if event.kind == Kind.PARTIAL]
    calls = tuple(dict.fromkeys(event.call for event in events if event.call))
    return Stretch(
        conn=first.conn,
        at_ns=first.at_ns,
        kernel_ns=first.kernel_ns,
        exact=last.exact,
        user=first.event.user,
        run=first.event.run,
        thread=first.event.thread,
        agent=first.event.agent,
        clock=first.event.clock,
        seq=first.event.seq,
        offset=first.event.offset,
        forms=bytes(event.kind | _detail(event, calls) << KIND_BITS for event in events),
        sizes=array("I", [row.size for row in rows if row is not acceptance]).tobytes(),
        emitted=array("q", [event.emitted_ns for event in events]).tobytes(),
        calls=calls,
        request=request,
        context=context,
        answer=last.event.answer,
        joined=last.event.joined,
        index=parts[0].index if parts else -1,
        accepted=acceptance.size if acceptance else 0,
        parts=array("I", [event.size for event in parts]).tobytes(),
    )


def plain(history: History, *cuts: int) -> History:
    """The run with its events in stretches; of several cuts each begins a new one, of none every event."""
    events = history.events
    edges = [0, *cuts, len(events)] if cuts else range(len(events) + 1)
    reads = [
        [replace(event, at_ns=events[low].at_ns) for event in events[low:high]]
        for low, high in pairwise(edges)
    ]
    stretches = [gathered(read) for read in reads]
    return replace(history, plain=True, events=[], stretches=stretches, ending=terminal(history))


def _detail(event: Event, calls: Sequence[str]) -> int:
    match event.kind:
        case Kind.THINKING:
            return event.step << 1 | event.pipeline
        case Kind.TOOL_EXECUTING:
            return calls.index(event.call)
        case Kind.TOOL_COMPLETED:
            return STATUS.index(event.status) * MOST_CALLS + calls.index(event.call)
    return 0


def _reach(rows: Sequence[Observation]) -> int:
    """How many of the rows, from the first on, can be one stretch."""
    accepted = _accepts(rows[0])
    plain = list(takewhile(_is_plain, rows[accepted:]))
    events = [row for row in plain if isinstance(row, Received)]
    if accepted and not (events and _is_accepted_by(events[0], rows[0])):
        return 0
    count = 0
    while count < len(events) and _goes_on(events[: count + 1]):
        count += 1
        if events[count - 1].exact or events[count - 1].event.kind == Kind.COMPLETED:
            break
    return count + accepted if count else 0


def _accepts(row: Observation) -> bool:
    return isinstance(row, Received) and row.event.kind == Kind.ACCEPTED


def _is_accepted_by(start: Received, row: Observation) -> bool:
    event = start.event
    acceptance = Event(Kind.ACCEPTED, run=event.run, thread=event.thread, request=event.request)
    size = row.size if isinstance(row, Received) else 0
    of_one_read = replace(start, event=acceptance, exact=False, size=size)
    return event.kind == Kind.STARTED and size > 0 and row == of_one_read


def _is_plain(row: Observation) -> bool:
    if not isinstance(row, Received) or row.foreign or row.event.breach:
        return False
    event = row.event
    if not (Kind.STARTED <= event.kind <= Kind.COMPLETED and event.run and event.seq and event.offset):
        return False
    ends_well = event.kind != Kind.TOOL_COMPLETED or event.status in STATUS
    return ends_well and event.step <= _MOST_STEP and event.emitted_ns > 0


def _goes_on(rows: Sequence[Received]) -> bool:
    """Whether the last of them is the next event of the run that the first is of, in one read."""
    first, last, n = rows[0], rows[-1], len(rows) - 1
    same = replace(last, event=first.event, size=first.size, exact=first.exact) == first
    one, other = (replace(row.event, **_OWN) for row in (first, last))
    events = [row.event for row in rows]
    parts = [event.index for event in events if event.kind == Kind.PARTIAL]
    return (
        same
        and one == other
        and (last.event.seq, last.event.offset) == (first.event.seq + n, first.event.offset + n)
        and len(_openings(events)) <= 1
        and (not parts or parts == list(range(parts[0], parts[0] + len(parts))))
        and len({event.call for event in events} - {""}) <= MOST_CALLS
    )


def _openings(events: Sequence[Event]) -> set[tuple[str, str]]:
    """What a start or an end say of the request."""
    return {
        (event.request, event.context) for event in events if event.kind in {Kind.STARTED, Kind.COMPLETED}
    }


# what is an event's own, and no matter of its run
_OWN = {
    name: getattr(Event(0), name)
    for name in Event.__struct_fields__
    if name not in {"user", "run", "thread", "agent", "clock"}
}
