"""Runs on their way from rows to metrics, as an analysis takes them, but one by one."""

from streamgauge.core.alike import Alike, arrivals_ns, likeness
from streamgauge.core.assembly import Assembler
from streamgauge.core.checks.fold import Settled
from streamgauge.core.event import Event
from streamgauge.core.history import End, History
from streamgauge.core.observation import Asked, Closed, Observation
from streamgauge.core.ownership import Settlements
from tests.support.history import LIMITS, SECOND, run, whole

FOREVER = 10_000 * SECOND


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


def settled(*rows: Observation, until: int = FOREVER) -> list[tuple[str, End, int]]:
    """What was settled: the run, or its request where it had none; how, and how many events it had."""
    assembler = Timely()
    histories = [history for row in rows for history in assembler.add(row)] + assembler.finish(until)
    return [(history.run or history.asked.request, history.end, len(history.events)) for history in histories]


def asked(request: str = "q1", conn: int = 1, at: float = 0, deadline: float = 60) -> Asked:
    now = int(at * SECOND)
    return Asked(conn, now, request, "t1", "guide", "c1", now, now + int(deadline * SECOND))


def event(place: int, *, name: str = "r1", request: str = "q1") -> Event:
    """An event of the whole run: 0 is its start, 9 its completion."""
    return run(*whole(), name=name, request=request).events[place].event


def closed(conn: int = 1, at: float = 0) -> Closed:
    return Closed(conn, int(at * SECOND), 1000, ours=True)


def alike(*histories: History, clean: bool = True, whole: bool = True) -> Alike:
    """A batch of runs of one likeness, of which the checks say this."""
    likenesses = {likeness(history, Settled(clean, whole)) for history in histories}
    assert len(likenesses) == 1, "they are not alike"
    batch = Alike(likenesses.pop())
    for history in histories:
        batch.add(history, arrivals_ns(history))
    return batch
