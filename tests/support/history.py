"""Small literal histories: what a run left, told as a sentence.

    run(started(), thought(1), thought(2), lost(tool("c")), ended("c"), thought(3), completed())

`run` numbers what it is told and lets it arrive every 10 ms. What departs from
that says so where it stands: `lost`, `twice`, `swapped`, `wait`. `session` makes
the rows of one socket out of the runs on it.
"""

from itertools import count
from typing import NamedTuple

from msgspec.structs import replace

from streamgauge.core.contract import Limits
from streamgauge.core.event import TERMINAL, Event, Kind
from streamgauge.core.history import End, History
from streamgauge.core.observation import (
    Asked,
    Cancelled,
    Closed,
    Makes,
    Observation,
    Opened,
    Received,
    Spoken,
)

SECOND = 1_000_000_000
PACE = 10_000_000
CLOCK = "boot"
LIMITS = Limits(silence_ns=10 * SECOND, grace_ns=SECOND)


class Lost(NamedTuple):
    event: Event


class Twice(NamedTuple):
    event: Event


class Swapped(NamedTuple):
    first: Event
    second: Event


class Wait(NamedTuple):
    seconds: float


Said = Event | Lost | Twice | Swapped | Wait

# what a sentence is made of
lost, twice, swapped, wait = Lost, Twice, Swapped, Wait


def started() -> Event:
    return Event(Kind.STARTED)


def thought(step: int) -> Event:
    """One of the pipeline's own thoughts."""
    return Event(Kind.THINKING, pipeline=True, step=step)


def idea(step: int = 0) -> Event:
    """A thought of the agent."""
    return Event(Kind.THINKING, step=step)


def tool(call: str) -> Event:
    return Event(Kind.TOOL_EXECUTING, call=call)


def ended(call: str, status: str = "success") -> Event:
    return Event(Kind.TOOL_COMPLETED, call=call, status=status)


def part(index: int, size: int = 3) -> Event:
    return Event(Kind.PARTIAL, index=index, size=size)


def work() -> Event:
    """What only its protocol has a word for."""
    return Event(Kind.WORK)


def completed(answer: str = "", joined: str = "") -> Event:
    return Event(Kind.COMPLETED, answer=answer, joined=joined)


def failed(status: str = "agent_failed") -> Event:
    return Event(Kind.FAILED, status=status, cut=status == "run_lost")


def whole() -> tuple[Event, ...]:
    """A run with a bit of everything, and nothing wrong."""
    return (
        *(started(), thought(1), thought(2), tool("c"), idea(), ended("c")),
        *(part(0), part(1), thought(3), completed("sum", "sum")),
    )


def run(
    *said: Said,
    name: str = "r1",
    request: str = "q1",
    user: str = "ann",
    conn: int = 1,
    cancelled: bool = False,
    spoken: bool = False,
    makes: Makes | None = None,
    end: End | None = None,
    pause: float = 0,
    deadline: float = 60,
) -> History:
    """A run that was asked for at 0 and is settled: by its terminal event, else by its deadline."""
    asked = Asked(
        conn,
        0,
        request,
        "t1",
        "guide",
        "c1",
        0,
        int(deadline * SECOND),
        int(pause * SECOND),
        fails=False,
        makes=makes,
    )
    echo = {"request": request, "context": "c1"}
    history = History(user, asked, name, "t1", cancelled=cancelled, spoken=spoken)
    numbers, now = count(1), 0

    def numbered(event: Event) -> Event:
        seq = next(numbers)
        repeating = echo if event.kind in {Kind.STARTED, *TERMINAL} else {}
        return replace(
            event,
            user=user,
            run=name,
            thread="t1",
            agent="guide",
            seq=seq,
            offset=seq,
            clock=CLOCK,
            **repeating,
        )

    for item in said:
        arriving: tuple[Event, ...] = ()
        match item:
            case Wait(seconds):
                now += int(seconds * SECOND) - PACE
            case Lost(event):
                numbered(event)
            case Twice(event):
                arriving = (numbered(event),) * 2
            case Swapped(first, second):
                arriving = (numbered(first), numbered(second))[::-1]
            case Event():
                arriving = (numbered(item),)
        for event in arriving:
            now += PACE
            history.events.append(Received(conn, now, 0, exact=False, size=100, event=event))
            if event.kind in TERMINAL:
                history.ended_ns = history.ended_ns or now
    history.end = end or (End.TERMINAL if history.ended_ns else End.DEADLINE)
    return history


def canary(user: str) -> str:
    return f"sgcanary{user:x<20}"


def opened(user: str = "ann", conn: int = 1, at: float = 0) -> Opened:
    now = int(at * SECOND)
    return Opened(conn, now, user, canary(user), now)


def heard(event: Event, conn: int = 1, at: float = 0, foreign: str = "") -> Received:
    return Received(conn, int(at * SECOND), 0, exact=False, size=100, event=event, foreign=foreign)


def accepted(name: str = "r1", request: str = "q1", conn: int = 1, at: float = 0) -> Received:
    return heard(Event(Kind.ACCEPTED, run=name, thread="t1", request=request), conn, at)


def session(*runs: History, leaves: bool = True) -> list[Observation]:
    """The rows of the socket that these runs came over, one run after the other, 5 s between them."""
    user, conn = runs[0].user, runs[0].asked.conn
    rows: list[Observation] = [opened(user, conn)]
    now = offsets = 0
    for history in runs:
        asked = history.asked
        rows.append(replace(asked, at_ns=now, due_ns=now, deadline_ns=now + asked.deadline_ns))
        rows.append(accepted(history.run, asked.request, conn, now / SECOND))
        if history.cancelled:
            rows.append(Cancelled(conn, now, history.run))
        if history.spoken:
            rows.append(Spoken(conn, now, history.run))
        rows.extend(_shifted(received, now, offsets) for received in history.events)
        now = rows[-1].at_ns + 5 * SECOND
        offsets += max((received.event.seq for received in history.events), default=0)
    if leaves:
        rows.append(Closed(conn, now, 1000, ours=True))
    return rows


def _shifted(received: Received, now: int, offsets: int) -> Received:
    event = replace(received.event, offset=received.event.offset + offsets)
    return replace(received, at_ns=received.at_ns + now, event=event)
