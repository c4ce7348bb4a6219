"""The fault `batching`: a stream that is none."""

from reference_server.bridge import Emit
from reference_server.faults.lottery import Lottery
from reference_server.message import TERMINAL, Event
from reference_server.session import Session


def batching(emit: Emit, lottery: Lottery) -> Emit:
    """Hold all events of the chosen runs back, and send them in one lump at the run's end."""
    held: dict[str, list[Event]] = {}

    def faulty(session: Session, event: Event) -> None:
        if event.seq == 1 and lottery.chosen():
            held[event.run_id] = []
        if event.run_id not in held:
            emit(session, event)
            return
        held[event.run_id].append(event)
        if isinstance(event.payload, TERMINAL):
            for one in held.pop(event.run_id):
                emit(session, one)
            lottery.strike()

    return faulty
