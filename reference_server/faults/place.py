"""Where in a run a fault strikes: once, at a drawn event that is neither its first nor its last."""

from reference_server.faults.lottery import Lottery
from reference_server.message import TERMINAL, Event


class Places:
    """Draws at a run's first event, knows the drawn event when it comes, and forgets the run at its end."""

    def __init__(self, lottery: Lottery) -> None:
        self._lottery = lottery
        self._due: dict[str, int] = {}

    def __len__(self) -> int:
        """How many runs are yet to be struck."""
        return len(self._due)

    def has_come(self, event: Event) -> bool:
        """Whether this is the event that was drawn for its run; to be asked once of every event."""
        run_id = event.run_id
        if isinstance(event.payload, TERMINAL):
            self._due.pop(run_id, None)
            return False
        if event.seq == 1 and (seq := self._lottery.draw()) is not None:
            self._due[run_id] = seq
        if event.seq != self._due.get(run_id):
            return False
        del self._due[run_id]
        return True
