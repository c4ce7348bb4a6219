"""The fault `shared-global`: the current user in a module variable, across an await."""

from msgspec.structs import replace

from reference_server.bridge import Emit
from reference_server.faults.lottery import Lottery
from reference_server.message import TERMINAL, Event
from reference_server.session import Session

# The defect itself: whoever was last served. It is right for as long as a run does not await, and wrong
# as soon as another user is served meanwhile.
_current: Session | None = None


def shared_global(emit: Emit, lottery: Lottery) -> Emit:
    """Send one event of the chosen runs to whomever the module variable names.

    From the drawn position on, the first event at which the variable names another user goes to that user's
    session, under that user's id, and is missing from its owner's; an end never does. Every run is an
    opportunity; where nobody else is served meanwhile, nothing happens and no strike is counted.
    """
    due: dict[str, int] = {}

    def faulty(session: Session, event: Event) -> None:
        global _current  # noqa: PLW0603 - this is the fault
        if event.seq == 1 and (seq := lottery.draw()) is not None:
            due[event.run_id] = seq
        target = session
        if isinstance(event.payload, TERMINAL):
            due.pop(event.run_id, None)
        elif event.seq >= due.get(event.run_id, event.seq + 1) and _is_someone_else(_current, session):
            assert _current is not None
            target = _current
            del due[event.run_id]
            lottery.strike()
        emit(target, replace(event, user_id=target.user_id))
        _current = session

    return faulty


def _is_someone_else(current: Session | None, session: Session) -> bool:
    return current is not None and current.attached and current.user_id != session.user_id
