"""The fault `duplicate`: an event is sent twice."""

from reference_server.bridge import Emit
from reference_server.faults.lottery import Lottery
from reference_server.faults.place import Places
from reference_server.message import Event
from reference_server.session import Session


def duplicate(emit: Emit, lottery: Lottery) -> Emit:
    """Send one event of the chosen runs twice: with the same `seq`, and with the next offset."""
    places = Places(lottery)

    def faulty(session: Session, event: Event) -> None:
        emit(session, event)
        if places.has_come(event):
            emit(session, event)
            lottery.strike()

    return faulty
