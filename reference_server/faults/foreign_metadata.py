"""The fault `foreign-metadata`: another user's id in a field that describes the event."""

from msgspec.structs import replace

from reference_server.bridge import Emit
from reference_server.faults.lottery import Lottery
from reference_server.faults.place import Places
from reference_server.message import Event
from reference_server.session import Session


def foreign_metadata(emit: Emit, lottery: Lottery) -> Emit:
    """Put the id of the user who was served before into one event of the chosen runs.

    Only a run that begins when somebody else has been served is an opportunity.
    """
    places = Places(lottery)
    last = other = ""  # the last user served, and the last before that who was somebody else

    def faulty(session: Session, event: Event) -> None:
        nonlocal last, other
        if last != session.user_id:
            last, other = session.user_id, last
        if other and places.has_come(event):
            event = replace(event, user_id=other)
            lottery.strike()
        emit(session, event)

    return faulty
