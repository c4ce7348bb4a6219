"""The fault `torn`: two writers share one socket without a lock."""

from reference_server.bridge import Emit
from reference_server.faults.lottery import Lottery
from reference_server.faults.place import Places
from reference_server.message import TERMINAL, Event, encode_event
from reference_server.session import Session


def torn(emit: Emit, lottery: Lottery) -> Emit:
    """Send one event of the chosen runs and the next of its run as one message, in each other's words.

    Each writes its envelope, then its payload; both offsets are used up. Before a run's end the first is sent
    as it is, and no strike is counted.
    """
    places = Places(lottery)
    held: dict[str, tuple[Event, int]] = {}

    def faulty(session: Session, event: Event) -> None:
        if places.has_come(event):
            held[event.run_id] = event, session.take_offset()
            return
        if event.run_id not in held:
            emit(session, event)
            return
        first, offset = held.pop(event.run_id)
        if isinstance(event.payload, TERMINAL):
            session.send(first, offset)
            emit(session, event)
            return
        session.outbox.put(
            _interleaved(encode_event(first, offset), encode_event(event, session.take_offset()))
        )
        lottery.strike()

    return faulty


def _interleaved(one: bytes, two: bytes) -> bytes:
    """Both messages in turns, cut between fields: so the bytes stay UTF-8, and no word becomes another."""
    (one_envelope, one_payload), (two_envelope, two_payload) = map(_halves, (one, two))
    return one_envelope + two_envelope + one_payload + two_payload


def _halves(message: bytes) -> tuple[bytes, bytes]:
    cut = message.index(b'"payload":')
    return message[:cut], message[cut:]
