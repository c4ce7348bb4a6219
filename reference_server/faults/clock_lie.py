"""The fault `clock-lie`: a stamp from the future."""

from msgspec.structs import replace

from reference_server.bridge import Emit
from reference_server.faults.lottery import Lottery
from reference_server.faults.place import Places
from reference_server.message import Event
from reference_server.session import Session

AHEAD_S = 0.1


def clock_lie(emit: Emit, lottery: Lottery, ahead_s: float) -> Emit:
    """Stamp one event of the chosen runs `ahead_s` later than it was emitted."""
    places = Places(lottery)
    ahead_ns = round(ahead_s * 1e9)

    def faulty(session: Session, event: Event) -> None:
        if places.has_come(event):
            event = replace(event, emitted_ns=event.emitted_ns + ahead_ns)
            lottery.strike()
        emit(session, event)

    return faulty
