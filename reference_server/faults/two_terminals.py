"""The fault `two-terminals`: a run ends twice."""

from msgspec.structs import replace

from reference_server.bridge import Emit
from reference_server.faults.lottery import Lottery
from reference_server.message import TERMINAL, Event
from reference_server.session import Session


def two_terminals(emit: Emit, lottery: Lottery) -> Emit:
    """Send the terminal event of the chosen runs once more, as an event of its own with the next `seq`."""

    def faulty(session: Session, event: Event) -> None:
        emit(session, event)
        if isinstance(event.payload, TERMINAL) and lottery.chosen():
            emit(session, replace(event, seq=event.seq + 1))
            lottery.strike()

    return faulty
