"""The fault `drop`: an event is lost on its way, after it was numbered."""

from reference_server.bridge import Emit
from reference_server.faults.lottery import Lottery
from reference_server.faults.place import Places
from reference_server.message import Event
from reference_server.session import Session


def drop(emit: Emit, lottery: Lottery) -> Emit:
    """Lose one event of the chosen runs; its `seq` and its `offset` are used up."""
    places = Places(lottery)

    def faulty(session: Session, event: Event) -> None:
        if places.has_come(event):
            session.take_offset()
            lottery.strike()
        else:
            emit(session, event)

    return faulty
