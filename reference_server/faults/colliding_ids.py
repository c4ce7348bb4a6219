"""The fault `colliding-ids`: events are routed by an id that the client chose, without its user."""

from reference_server.bridge import Emit
from reference_server.faults.lottery import Lottery
from reference_server.message import TERMINAL, Event
from reference_server.session import Session


def colliding_ids(emit: Emit, lottery: Lottery) -> Emit:
    """Send the events of the chosen runs to whoever began the last run in a thread of the same name.

    One table serves all users and says for each thread under way where its events go; who chooses the name of
    another user's thread takes its place. The events keep their owner's name and numbers. Every run is
    an opportunity; where nobody else chose the name, nothing happens and no strike is counted.
    """
    routes: dict[str, tuple[str, Session]] = {}
    struck: dict[str, bool] = {}  # the chosen runs under way, and whether they were struck yet

    def faulty(session: Session, event: Event) -> None:
        run_id, thread_id = event.run_id, event.thread_id
        if event.seq == 1:
            routes[thread_id] = run_id, session
            if lottery.chosen():
                struck[run_id] = False
        latest, target = routes.get(thread_id, (run_id, session))
        if run_id not in struck:
            target = session
        elif target.user_id != session.user_id and not struck[run_id]:
            struck[run_id] = True
            lottery.strike()
        emit(target, event)
        if isinstance(event.payload, TERMINAL):
            struck.pop(run_id, None)
            if latest == run_id:
                routes.pop(thread_id, None)

    return faulty
