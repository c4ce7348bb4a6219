"""The parts of the server that a fault committed on purpose may replace; each is right as it stands here."""

from collections.abc import Callable

from msgspec import Struct

from reference_server.auth import Identity, identify
from reference_server.bridge import Emit
from reference_server.losses import Losses
from reference_server.outbox import Outbox
from reference_server.run import Run, RunBook
from reference_server.scripted import simulated_tool
from reference_server.session import Session
from reference_server.tools import ToolFunction

Identify = Callable[[str, str, float], Identity]
MakeOutbox = Callable[[int, int, Losses], Outbox]
FindRun = Callable[[RunBook, Session, str], Run | None]
SessionHook = Callable[[Session], None]


def find_own(runs: RunBook, session: Session, run_id: str) -> Run | None:
    """The run of this name, where it is this user's and under way."""
    return runs.find(session.user_id, run_id)


def nothing(_session: Session) -> None:
    """Nobody needs to know."""


class Parts(Struct, frozen=True):
    """Where a fault sits: `emit` is the way of every event from the bridge to its session.

    `tool` is what a scripted agent's tools do; `opened` and `left` hear of sessions that
    begin and of those whose connection has gone.
    """

    emit: Emit = Session.send
    identify: Identify = identify
    tool: ToolFunction = simulated_tool
    make_outbox: MakeOutbox = Outbox
    find_run: FindRun = find_own
    opened: SessionHook = nothing
    left: SessionHook = nothing
