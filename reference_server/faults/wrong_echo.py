"""The fault `wrong-echo`: a run answers another request of its user."""

from msgspec.structs import replace

from reference_server.bridge import Emit
from reference_server.faults.lottery import Lottery
from reference_server.message import TERMINAL, AgentStarted, Event
from reference_server.session import Session


def wrong_echo(emit: Emit, lottery: Lottery) -> Emit:
    """End the chosen runs with the `request_id` of another run of the user that is under way.

    Only a run beside which another one is under way when it ends is an opportunity.
    """
    under_way: dict[str, dict[str, str]] = {}  # user -> run -> request

    def faulty(session: Session, event: Event) -> None:
        payload = event.payload
        if isinstance(payload, AgentStarted):
            under_way.setdefault(event.user_id, {})[event.run_id] = payload.request_id
        elif isinstance(payload, TERMINAL) and (own := under_way.get(event.user_id)):
            own.pop(event.run_id, None)
            if not own:
                del under_way[event.user_id]
            elif lottery.chosen():
                event = replace(event, payload=replace(payload, request_id=next(iter(own.values()))))
                lottery.strike()
        emit(session, event)

    return faulty
