"""Makes findings of what was seen: the row, or the events around the guilty one."""

from typing import Final

from msgspec.structs import replace

from streamgauge.core.checks.problem import Problem
from streamgauge.core.contract import Rule
from streamgauge.core.event import Kind
from streamgauge.core.finding import Finding, Witness
from streamgauge.core.history import History
from streamgauge.core.observation import Asked, Malformed, Overheard, Received, arrival_ns

_AROUND: Final = 2  # events shown on each side of a guilty one


def of_row(
    rule: Rule,
    problem: str,
    user: str,
    row: Received | Malformed | Overheard,
    *,
    other: str = "",
    token: str = "",
) -> Finding:
    """A finding whose only witness is the row itself."""
    if not isinstance(row, Received):
        witness = replace(beside_runs(row), guilty=True)
        return Finding(rule, problem, user, row.conn, row.at_ns, token=token, witnesses=(witness,))
    return Finding(
        rule,
        problem,
        user,
        row.conn,
        row.at_ns,
        run=row.event.run,
        request=row.event.request,
        other=other,
        token=token,
        witnesses=(witness_of(row, guilty=True),),
    )


def of_run(problem: Problem, history: History) -> Finding:
    """A finding with the events around the first guilty one, and with the request where none is guilty.

    A silence is shown from where it begins.
    """
    events = history.events
    centre = problem.at[0] if problem.at else len(events) - 1
    window = range(max(0, centre - _AROUND), min(len(events), centre + _AROUND + 1))
    before: tuple[Witness, ...] = ()
    if problem.lasted_ns:
        before = _silent_from(problem, history, window.start)
    elif not problem.at:
        before = (of_request(history.asked, history.run, guilty=True),)
    return Finding(
        problem.rule,
        problem.problem,
        user=history.user,
        conn=history.asked.conn,
        at_ns=events[centre].at_ns if events else history.asked.at_ns,
        run=history.run,
        request=history.asked.request,
        witnesses=(*before, *(witness_of(events[place], guilty=place in problem.at) for place in window)),
        numbers=problem.numbers,
        more=problem.more,
        lasted_ns=problem.lasted_ns,
    )


def _silent_from(problem: Problem, history: History, shown_from: int) -> tuple[Witness, ...]:
    """What came last before a silence, or else the request, where it is not among what is shown anyway."""
    events, (ends, *_) = history.events, problem.at
    began_ns = arrival_ns(events[ends]) - problem.lasted_ns
    begins = next((place for place in reversed(range(ends)) if arrival_ns(events[place]) == began_ns), None)
    if begins is None:
        return (of_request(history.asked, history.run),)
    return (witness_of(events[begins]),) if begins < shown_from else ()


def began(since: Received | Asked, run: str) -> Witness:
    """Where a silence began that only ended after the deadline."""
    return of_request(since, run) if isinstance(since, Asked) else witness_of(since)


def of_request(asked: Asked, run: str, *, guilty: bool = False) -> Witness:
    """A request as a finding shows it: when it was asked, and on which connection."""
    return Witness(
        asked.at_ns, "asked", run, detail=f"connection {asked.conn}, {asked.request}", guilty=guilty
    )


def beside_runs(row: Malformed | Overheard) -> Witness:
    """What is no event of any run, as a finding shows it."""
    if isinstance(row, Malformed):
        return Witness(row.at_ns, "malformed", size=row.size, detail=row.why)
    return Witness(row.at_ns, row.where, size=row.size, detail="no message")


def witness_of(row: Received, *, guilty: bool = False) -> Witness:
    """An event as a finding shows it."""
    event = row.event
    detail = {
        Kind.THINKING: f"{'pipeline' if event.pipeline else 'agent'} step {event.step or '-'}",
        Kind.TOOL_EXECUTING: event.call,
        Kind.TOOL_COMPLETED: f"{event.call} {event.status}",
        Kind.PARTIAL: f"index {event.index}, {event.size} B" if event.index >= 0 else f"{event.size} B",
        Kind.FAILED: event.status,
    }.get(Kind(event.kind), "")
    kind = Kind(event.kind).name.lower()
    return Witness(arrival_ns(row), kind, event.run, event.seq, event.offset, row.size, detail, guilty)
