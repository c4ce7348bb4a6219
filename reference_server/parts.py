"""The parts of the server that a fault committed on purpose may replace; each is right as it stands here."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from msgspec import Struct

from reference_server.agent import Agent
from reference_server.auth import Identity, identify
from reference_server.bridge import Emit
from reference_server.losses import Losses
from reference_server.outbox import Outbox
from reference_server.run import Run, RunBook
from reference_server.scripted import InThread, simulated_tool
from reference_server.session import Session
from reference_server.tools import ToolFunction

Identify = Callable[[str, str, float], Identity]
MakeOutbox = Callable[[int, int, Losses], Outbox]
FindRun = Callable[[RunBook, Session, str], Run | None]
Cancel = Callable[[Session, Run], None]
ServedBy = Callable[[Agent], Agent]
SessionHook = Callable[[Session], None]
Turn = AbstractAsyncContextManager[object]

MAX_UNANSWERED = 2  # heartbeats


def find_own(runs: RunBook, session: Session, run_id: str) -> Run | None:
    """The run of this name, where it is this user's and under way."""
    return runs.find(session.user_id, run_id)


def cancel_one(_session: Session, run: Run) -> None:
    """Cancel the run that was named, and no other."""
    run.stop("cancelled")


def itself(agent: Agent) -> Agent:
    """Every run is the agent's own work."""
    return agent


def nothing(_session: Session) -> None:
    """Nobody needs to know."""


def is_dead(_session: Session, unanswered: int) -> bool:
    """Whether a client that left so many heartbeats unanswered is given up."""
    return unanswered >= MAX_UNANSWERED


def stop_runs(session: Session) -> None:
    """End what is under way."""
    for run in session.runs:
        run.stop("cancelled")


class Parts(Struct, frozen=True):
    """Where a fault sits: `emit` is the way of every event from the bridge to its session.

    `tool` is what a scripted agent's tools do; `opened` and `left` hear of sessions that
    begin and of those whose connection has gone. `cancel` does what a session's user asked
    for; `in_thread` is how tools get into threads, and `served_by` who does the scripted
    agent's work. `turn` is what a connection's writer waits for before it writes, `is_dead`
    when a silent client is given up, and `expired` what becomes of a session's runs when its
    window has ended.
    """

    emit: Emit = Session.send
    identify: Identify = identify
    tool: ToolFunction = simulated_tool
    make_outbox: MakeOutbox = Outbox
    find_run: FindRun = find_own
    opened: SessionHook = nothing
    left: SessionHook = nothing
    cancel: Cancel = cancel_one
    in_thread: InThread = asyncio.to_thread
    served_by: ServedBy = itself
    turn: Callable[[], Turn] = nullcontext
    is_dead: Callable[[Session, int], bool] = is_dead
    expired: SessionHook = stop_runs
