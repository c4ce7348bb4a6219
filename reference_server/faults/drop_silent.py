"""The fault `drop-silent`: an event is left out, and nothing in the numbers tells."""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from reference_server.bridge import Emit
from reference_server.core import EXECUTING
from reference_server.faults.lottery import Lottery
from reference_server.message import TERMINAL, AgentThinking, Event, PartialResult, ToolCompleted
from reference_server.session import Session

Part = Literal["step 2", "tool's end", "delta"]
PARTS: tuple[Part, ...] = ("step 2", "tool's end", "delta")


class _Run(Struct):
    """What becomes of a run under way: what it is to lose, until that has come; what it has lost."""

    waits_for: Part | None
    events: int = 0
    deltas: int = 0


def drop_silent(emit: Emit, lottery: Lottery) -> Emit:
    """Leave out a drawn part of the chosen runs, and number the rest as if it had never been.

    The part is step 2, the end of the first tool or the second delta of the answer (an answer of one delta
    looks like one that was not streamed); a run that has the drawn part is the opportunity.
    """
    runs: dict[str, _Run] = {}

    def faulty(session: Session, event: Event) -> None:
        payload = event.payload
        if event.seq == 1:
            runs[event.run_id] = _Run(lottery.choose(PARTS))
        run = runs.get(event.run_id)
        if run is None:
            emit(session, event)
            return
        if run.waits_for is not None and _part(event) == run.waits_for:
            run.waits_for = None
            if lottery.chosen():
                run.events = 1
                run.deltas = int(isinstance(payload, PartialResult))
                lottery.strike()
                return
        if run.deltas and isinstance(payload, PartialResult):
            event = replace(event, payload=replace(payload, index=payload.index - run.deltas))
        emit(session, replace(event, seq=event.seq - run.events))
        if isinstance(payload, TERMINAL):
            del runs[event.run_id]

    return faulty


def _part(event: Event) -> Part | None:
    match event.payload:
        case AgentThinking(source="pipeline", step_number=EXECUTING.step):
            return "step 2"
        case ToolCompleted():
            return "tool's end"
        case PartialResult(index=1, delta=delta) if delta:
            return "delta"
    return None
