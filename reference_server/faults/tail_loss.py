"""The fault `tail-loss`: a run ends, and nobody is told."""

from reference_server.bridge import Emit
from reference_server.faults.lottery import Lottery
from reference_server.message import TERMINAL, Event
from reference_server.session import Session


def tail_loss(emit: Emit, lottery: Lottery) -> Emit:
    """Never send the terminal event of the chosen runs; what is lost is always the last event."""

    def faulty(session: Session, event: Event) -> None:
        if isinstance(event.payload, TERMINAL) and lottery.chosen():
            lottery.strike()
        else:
            emit(session, event)

    return faulty
