"""The fault `corrupt-delta`: one byte of an answer changes on its way."""

from msgspec.structs import replace

from reference_server.bridge import Emit
from reference_server.faults.lottery import Lottery
from reference_server.message import TERMINAL, Event, PartialResult
from reference_server.session import Session

_LOWEST_BIT = 1


def corrupt_delta(emit: Emit, lottery: Lottery) -> Emit:
    """Change the first letter of the chosen runs' answers; a run that streams one is the opportunity."""
    untouched: set[str] = set()  # runs whose answer is yet to begin

    def faulty(session: Session, event: Event) -> None:
        payload = event.payload
        if event.seq == 1:
            untouched.add(event.run_id)
        if (
            event.run_id in untouched
            and isinstance(payload, PartialResult)
            and payload.delta[:1].isascii()
            and payload.delta[:1].isalpha()
        ):
            untouched.discard(event.run_id)
            if lottery.chosen():
                event = replace(event, payload=replace(payload, delta=_changed(payload.delta)))
                lottery.strike()
        emit(session, event)
        if isinstance(payload, TERMINAL):
            untouched.discard(event.run_id)

    return faulty


def _changed(text: str) -> str:
    """The text with one bit of its first letter the other way round."""
    return chr(ord(text[0]) ^ _LOWEST_BIT) + text[1:]
