"""Runs on their way from rows to metrics, as an analysis takes them, but one by one."""

from streamgauge.core.alike import Alike, arrivals_ns, likeness
from streamgauge.core.assembly import Assembler
from streamgauge.core.checks.fold import Settled
from streamgauge.core.history import History
from streamgauge.core.observation import Observation
from streamgauge.core.ownership import Settlements
from tests.support.history import LIMITS


class Timely(Assembler):
    """Settles what is due before it takes a row, and notes on which socket, as those who judge runs do."""

    def __init__(self) -> None:
        self.noted = Settlements()
        super().__init__(LIMITS, self.noted)

    def add(self, row: Observation) -> list[History]:
        return self._note(self.settle_due(row.at_ns)) + self._note(super().add(row))

    def _note(self, histories: list[History]) -> list[History]:
        for history in histories:
            if history.run:
                self.noted.add(history.run, history.asked.conn)
        return histories


def alike(*histories: History, clean: bool = True, whole: bool = True) -> Alike:
    """A batch of runs of one likeness, of which the checks say this."""
    likenesses = {likeness(history, Settled(clean, whole)) for history in histories}
    assert len(likenesses) == 1, "they are not alike"
    batch = Alike(likenesses.pop())
    for history in histories:
        batch.add(history, arrivals_ns(history))
    return batch
