"""The fault `swap`: two neighbouring events change places."""

from reference_server.bridge import Emit
from reference_server.faults.lottery import Lottery
from reference_server.message import TERMINAL, Event
from reference_server.session import Session


def swap(emit: Emit, lottery: Lottery) -> Emit:
    """Hold one event of the chosen runs back until the next one of its run has gone first.

    Each keeps the `seq` and the `offset` that it would have had. Before a run's end the held event is sent in
    its place, and no strike is counted.
    """
    due: dict[str, int] = {}
    held: dict[str, tuple[Event, int]] = {}

    def faulty(session: Session, event: Event) -> None:
        run_id = event.run_id
        ends = isinstance(event.payload, TERMINAL)
        if event.seq == 1 and (seq := lottery.draw()) is not None:
            due[run_id] = seq
        if run_id in held:
            first, offset = held.pop(run_id)
            if ends:
                session.send(first, offset)
                emit(session, event)
            else:
                emit(session, event)
                session.send(first, offset)
                lottery.strike()
        elif event.seq == due.get(run_id) and not ends:
            held[run_id] = (event, session.take_offset())
        else:
            emit(session, event)
        if ends:
            due.pop(run_id, None)

    return faulty
