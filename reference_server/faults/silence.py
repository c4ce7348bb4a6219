"""The fault `silence`: a run stalls, and its user looks at a dead screen."""

import asyncio

from reference_server.bridge import Emit
from reference_server.faults.lottery import Lottery
from reference_server.faults.place import Places
from reference_server.message import Event
from reference_server.session import Session

STALL_S = 20.0  # twice the longest gap that a user should see, by default


def silence(emit: Emit, lottery: Lottery, stall_s: float) -> Emit:
    """Hold one event of the chosen runs back for `stall_s`, and with it all that follow it meanwhile."""
    places = Places(lottery)
    held: dict[str, list[Event]] = {}

    def faulty(session: Session, event: Event) -> None:
        if places.has_come(event):
            held[event.run_id] = []
            asyncio.get_running_loop().call_later(stall_s, go_on, session, event.run_id)
            lottery.strike()
        if event.run_id in held:
            held[event.run_id].append(event)
        else:
            emit(session, event)

    def go_on(session: Session, run_id: str) -> None:
        for event in held.pop(run_id):
            emit(session, event)

    return faulty
