"""The fault `ghost-run`: a run goes on when its session's window has ended, and nobody can ever see it."""

from msgspec.structs import replace

from reference_server.faults.lottery import Lottery
from reference_server.parts import Parts
from reference_server.session import Session


def ghost_run(parts: Parts, lottery: Lottery) -> Parts:
    """Leave the chosen ones of the runs that are under way when their session ends.

    Each such run is an opportunity. A chosen one goes on to its own end.
    """

    def expired(session: Session) -> None:
        ghosts = {run for run in session.runs if lottery.chosen()}
        session.runs -= ghosts  # what stops the others does not find them
        for _ in ghosts:
            lottery.strike()
        parts.expired(session)

    return replace(parts, expired=expired)
