"""The fault `half-open`: a peer that is dead, and whose connection nobody ended, is kept for ever."""

from msgspec.structs import replace

from reference_server.faults.lottery import Lottery
from reference_server.parts import Parts
from reference_server.session import Session


def half_open(parts: Parts, lottery: Lottery) -> Parts:
    """Keep the chosen ones of those sockets whose peer is dead; each dead one is an opportunity."""
    kept: set[Session] = set()

    def is_dead(session: Session, unanswered: int) -> bool:
        if session in kept or not parts.is_dead(session, unanswered):
            return False
        if not lottery.chosen():
            return True
        kept.add(session)
        lottery.strike()
        return False

    def left(session: Session) -> None:
        kept.discard(session)
        parts.left(session)

    return replace(parts, is_dead=is_dead, left=left)
