"""The fault `broadcast`: what is meant for one socket goes to all."""

from msgspec.structs import replace

from reference_server.faults.lottery import Lottery
from reference_server.faults.place import Places
from reference_server.message import Event
from reference_server.parts import Parts
from reference_server.session import Session


def broadcast(parts: Parts, lottery: Lottery) -> Parts:
    """Send one event of the chosen runs to every session that has a connection, each under its own offset.

    Where nobody else is connected nothing happens, and no strike is counted.
    """
    places = Places(lottery)
    listening: dict[str, Session] = {}

    def opened(session: Session) -> None:
        listening[session.id] = session
        parts.opened(session)

    def left(session: Session) -> None:
        listening.pop(session.id, None)
        parts.left(session)

    def faulty(session: Session, event: Event) -> None:
        parts.emit(session, event)
        if not places.has_come(event):
            return
        others = [other for other in listening.values() if other is not session]
        for other in others:
            other.send(event)
        if any(other.user_id != session.user_id for other in others):
            lottery.strike()

    return replace(parts, emit=faulty, opened=opened, left=left)
