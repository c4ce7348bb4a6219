"""The fault `oracle`: 'not yours' and 'does not exist' are answered differently."""

from msgspec.structs import replace

from reference_server.command import Refused
from reference_server.faults.lottery import Lottery
from reference_server.parts import Parts
from reference_server.run import Run, RunBook
from reference_server.session import Session


def oracle(parts: Parts, lottery: Lottery) -> Parts:
    """Tell who names another user's run, under way or ended, that there is one.

    The run is looked up first and its owner compared afterwards, with an answer for each. An opportunity is a
    command that names another user's run.
    """

    def faulty(runs: RunBook, session: Session, run_id: str) -> Run | None:
        owner = runs.owner(run_id)
        if owner not in (None, session.user_id) and lottery.chosen():
            lottery.strike()
            raise Refused("forbidden", "this run is another user's")
        return parts.find_run(runs, session, run_id)

    return replace(parts, find_run=faulty)
