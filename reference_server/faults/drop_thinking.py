"""The fault `drop-thinking`: no systematic thoughts, as if the pipeline had none."""

from msgspec.structs import replace

from reference_server.bridge import Emit
from reference_server.faults.lottery import Lottery
from reference_server.message import TERMINAL, AgentThinking, Event
from reference_server.session import Session


def drop_thinking(emit: Emit, lottery: Lottery) -> Emit:
    """Leave out the pipeline's thoughts of the chosen runs, and number the rest as if they had never been."""
    dropped: dict[str, int] = {}

    def faulty(session: Session, event: Event) -> None:
        if event.seq == 1 and lottery.draw() is not None:
            dropped[event.run_id] = 0
        if event.run_id not in dropped:
            emit(session, event)
            return
        if isinstance(event.payload, AgentThinking) and event.payload.source == "pipeline":
            if not dropped[event.run_id]:
                lottery.strike()
            dropped[event.run_id] += 1
            return
        emit(session, replace(event, seq=event.seq - dropped[event.run_id]))
        if isinstance(event.payload, TERMINAL):
            del dropped[event.run_id]

    return faulty
