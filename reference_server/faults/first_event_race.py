"""The fault `first-event-race`: a run begins before anybody listens to it."""

from msgspec.structs import replace

from reference_server.faults.lottery import Lottery
from reference_server.message import Event
from reference_server.parts import Parts
from reference_server.session import Session


def first_event_race(parts: Parts, lottery: Lottery) -> Parts:
    """Lose the first event of a session's first run, in the chosen sessions.

    The session subscribes to its events when its first run begins, and that run does not wait for it. The
    event's `seq` and `offset` are used up. A session that asks at all is the opportunity.
    """
    unsubscribed: set[str] = set()

    def opened(session: Session) -> None:
        unsubscribed.add(session.id)
        parts.opened(session)

    def left(session: Session) -> None:
        unsubscribed.discard(session.id)
        parts.left(session)

    def faulty(session: Session, event: Event) -> None:
        if session.id in unsubscribed:
            unsubscribed.discard(session.id)
            if lottery.chosen():
                session.take_offset()
                lottery.strike()
                return
        parts.emit(session, event)

    return replace(parts, emit=faulty, opened=opened, left=left)
