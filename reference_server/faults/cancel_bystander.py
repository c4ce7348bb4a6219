"""The fault `cancel-bystander`: cancelling one run cancels the user's others."""

from msgspec.structs import replace

from reference_server.faults.lottery import Lottery
from reference_server.parts import Parts
from reference_server.run import Run
from reference_server.session import Session


def cancel_bystander(parts: Parts, lottery: Lottery) -> Parts:
    """Stop everything that is under way in the session, and not only the run that was named.

    The session has one scope to cancel for all its runs. An opportunity is a run that is cancelled while
    another is under way.
    """

    def faulty(session: Session, run: Run) -> None:
        bystanders = [other for other in session.runs if other is not run and other.cause is None]
        parts.cancel(session, run)
        if bystanders and lottery.chosen():
            lottery.strike()
            for other in bystanders:
                parts.cancel(session, other)

    return replace(parts, cancel=faulty)
