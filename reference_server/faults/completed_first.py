"""The fault `completed-first`: a tool's end is told before its beginning."""

from msgspec import Struct
from msgspec.structs import replace

from reference_server.bridge import Emit
from reference_server.faults.lottery import Lottery
from reference_server.message import TERMINAL, Event, ToolCompleted, ToolExecuting
from reference_server.session import Session


class _Held(Struct, frozen=True):
    """The beginning that waits for its end, and that call's id."""

    event: Event
    call: str


def completed_first(emit: Emit, lottery: Lottery) -> Emit:
    """Send the beginning of the first tool of the chosen runs right after that tool's end.

    All is numbered in the order in which it is sent. A run with a tool is the opportunity.
    """
    untouched: set[str] = set()  # runs whose first tool is yet to come
    held: dict[str, _Held] = {}

    def faulty(session: Session, event: Event) -> None:
        run_id, payload = event.run_id, event.payload
        if event.seq == 1:
            untouched.add(run_id)
        if isinstance(payload, ToolExecuting) and run_id in untouched:
            untouched.discard(run_id)
            if lottery.chosen():
                held[run_id] = _Held(event, payload.tool_call_id)
                return
        waiting = held.get(run_id)
        if waiting is None:
            emit(session, event)
        elif isinstance(payload, ToolCompleted) and payload.tool_call_id == waiting.call:
            del held[run_id]
            emit(session, replace(event, seq=event.seq - 1))
            emit(session, replace(waiting.event, seq=event.seq))
            lottery.strike()
        else:
            emit(session, replace(event, seq=event.seq - 1))
        if isinstance(payload, TERMINAL):
            untouched.discard(run_id)
            held.pop(run_id, None)

    return faulty
