"""The fault `registry-by-user`: one socket a user; closing the old tab unregisters the new one."""

from msgspec.structs import replace

from reference_server.faults.lottery import Lottery
from reference_server.message import Event
from reference_server.parts import Parts
from reference_server.session import Session


def registry_by_user(parts: Parts, lottery: Lottery) -> Parts:
    """Forget the newer socket of a user where an older one closes, and send it no event any more.

    The registry holds the newest socket of each user, and whoever leaves deletes the user's entry without
    looking whose it is. An opportunity is an older socket that closes while a newer one is registered; it is
    a strike when the first event is lost by that.
    """
    sockets: dict[str, Session] = {}
    unregistered: dict[
        str, bool
    ] = {}  # ids of sessions that are still connected, and whether an event was lost

    def opened(session: Session) -> None:
        sockets[session.user_id] = session
        parts.opened(session)

    def left(session: Session) -> None:
        registered = sockets.get(session.user_id)
        if registered is session:
            del sockets[session.user_id]
        elif registered is not None and lottery.chosen():
            del sockets[session.user_id]
            unregistered[registered.id] = False
        unregistered.pop(session.id, None)
        parts.left(session)

    def emit(session: Session, event: Event) -> None:
        lost = unregistered.get(session.id)
        if lost is None:
            parts.emit(session, event)
        elif not lost:
            unregistered[session.id] = True
            lottery.strike()

    return replace(parts, opened=opened, left=left, emit=emit)
