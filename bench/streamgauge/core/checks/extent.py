"""How far what was found reaches: whom a leak went to, where something was lost, how many it struck.

All of it is counted, not only what is kept as findings, and adds up across processes: a
connection is one process's, and a run counts on each connection once. But a run whose
messages leak is seen at many connections of many processes, and is one run: such runs
are remembered.
"""

from collections import Counter
from operator import add
from typing import Final

from msgspec import Struct
from msgspec.structs import astuple

from streamgauge.core.contract import Rule
from streamgauge.core.finding import Struck
from streamgauge.core.history import End, History
from streamgauge.core.ownership import digest

MOST_CELLS: Final = 20_000  # pairs of users that one process tells apart; leaks between others are counted
MOST_LEAKED: Final = (
    100_000  # leaking runs that one process tells apart by a rule; of others it counts messages
)
LEAKS: Final = frozenset({Rule.ISOLATION_ENVELOPE, Rule.ISOLATION_CANARY})
_FOREIGN: Final = 256  # runs of others that a connection remembers to have counted


class Losses(Struct, frozen=True):
    """What was lost, by where it was lost; a run is at one place in each of the lines."""

    gaps: int = 0  # events that never came while later ones of their run did
    gap_runs: int = 0  # the runs they were of
    tails: int = 0  # runs whose end never came on an open connection
    unbegun: int = 0  # requests of which nothing ever came on an open connection
    cut: int = 0  # runs and requests under way when the server closed their connection
    unplaced: int = 0  # numbers of a session that no run's loss explains
    runs: int = 0  # that lost anything, but for those that were cut
    connections: int = 0  # on which that was, or a number without a run

    def __add__(self, other: "Losses") -> "Losses":
        return Losses(*map(add, astuple(self), astuple(other)))

    @property
    def least(self) -> int:
        """How many events it takes at least to have lost that much: one of each run without an end."""
        return self.gaps + self.tails + self.unbegun


class Leaks(Struct):
    """How many messages of whom reached whom: receiver -> sender -> messages.

    Where a message names its user, that is the sender, else who owns the canary in it.
    """

    named: dict[str, dict[str, int]] = {}
    by_canary: dict[str, dict[str, int]] = {}  # with the token in place of the sender
    beyond: int = 0  # messages between pairs that were too many to tell apart
    cells: int = 0
    messages: int = 0  # that leaked, each once: one that is of several senders is in several cells

    def count(
        self, receiver: str, *, sender: str = "", token: str = "", times: int = 1, again: bool = False
    ) -> None:
        """So many messages reached the wrong user; `again`: the last of them is of this sender, too."""
        self.messages += 0 if again else times
        kept = self.named if sender else self.by_canary
        senders, key = kept.get(receiver, {}), sender or token
        if key not in senders:
            if self.cells >= MOST_CELLS:
                self.beyond += times
                return
            self.cells += 1
        kept.setdefault(receiver, senders)[key] = senders.get(key, 0) + times

    def merge(self, other: "Leaks") -> "Leaks":
        """Both together."""
        named = _summed(self.named, other.named)
        by_canary = _summed(self.by_canary, other.by_canary)
        cells = sum(map(len, (*named.values(), *by_canary.values())))  # one may be known to both
        return Leaks(named, by_canary, self.beyond + other.beyond, cells, self.messages + other.messages)


def _summed(one: dict[str, dict[str, int]], two: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    return {
        receiver: dict(Counter(one.get(receiver, {})) + Counter(two.get(receiver, {})))
        for receiver in {*one, *two}
    }


class LeakedRuns(Struct):
    """Whose messages reached the wrong user: runs by the rule that shows it, each once whoever received them.

    They are kept by digest. `untold` counts messages that do not say of which run they are, or are of
    one that was not kept any more: each may be of another run, or all of one.
    """

    runs: dict[str, set[int]] = {}
    untold: dict[str, int] = {}

    def add(self, rule: str, run: str, times: int = 1) -> None:
        """So many messages of a run, or of they do not say which (""), leaked."""
        known = self.runs.setdefault(rule, set())
        number = digest(run)
        if not run or (len(known) >= MOST_LEAKED and number not in known):
            self.untold[rule] = self.untold.get(rule, 0) + times
        else:
            known.add(number)

    def merge(self, other: "LeakedRuns") -> "LeakedRuns":
        """Both together: a run that both saw is one."""
        return LeakedRuns(
            {
                rule: self.runs.get(rule, set()) | other.runs.get(rule, set())
                for rule in {*self.runs, *other.runs}
            },
            dict(Counter(self.untold) + Counter(other.untold)),
        )


class Extent:
    """Counts runs and connections once each, as one process sees them."""

    def __init__(self) -> None:
        self.leaked = LeakedRuns()
        self._messages: Counter[str] = Counter()
        self._runs: Counter[str] = Counter()
        self._connections: dict[str, set[int]] = {}
        self._under_way: dict[int, dict[tuple[str, str], None]] = {}  # runs that were counted, the last 256
        self._losses = Losses()
        self._losing: set[int] = set()  # connections
        self._cut: Counter[int] = Counter()  # by connection: how it ended is told after its runs

    def message(self, rule: str, conn: int, run: str) -> None:
        """A message broke a rule."""
        self._messages[rule] += 1
        self._connections.setdefault(rule, set()).add(conn)
        if rule in LEAKS:
            self.leaked.add(rule, run)
            return
        counted = self._under_way.setdefault(conn, {})
        if run and (rule, run) not in counted:
            if len(counted) >= _FOREIGN:
                del counted[next(iter(counted))]
            counted[rule, run] = None
            self._runs[rule] += 1

    def session(self, rule: str, conn: int) -> None:
        """A connection broke a rule, and no message of it did."""
        self._connections.setdefault(rule, set()).add(conn)

    def run(self, rule: str, conn: int, run: str) -> None:
        """A settled run broke a rule."""
        self._connections.setdefault(rule, set()).add(conn)
        if (rule, run) not in self._under_way.get(conn, {}):
            self._runs[rule] += 1

    def forget(self, conn: int, run: str) -> None:
        """A run is settled: nothing of it is counted any more."""
        if counted := self._under_way.get(conn):
            for key in [key for key in counted if key[1] == run]:
                del counted[key]

    def lost(self, history: History, gaps: int) -> None:
        """A run or request is settled that lacks something: `gaps` events, or its end."""
        if history.end is End.ABANDONED:
            self._cut[history.asked.conn] += 1
        endless = history.end is End.DEADLINE
        if not gaps and not endless:
            return
        began = bool(history.count)  # as it has where its events show a gap
        self._losses += Losses(
            gaps=gaps, gap_runs=bool(gaps), tails=endless and began, unbegun=not began, runs=1
        )
        self._losing.add(history.asked.conn)

    def closed(self, conn: int, unplaced: int, *, cut: bool) -> None:
        """A connection ended, by the server (`cut`) or by us; so many of its numbers no run explains."""
        self._under_way.pop(conn, None)
        open_runs = self._cut.pop(conn, 0)
        if unplaced:
            self._losing.add(conn)
        self._losses += Losses(cut=open_runs if cut else 0, unplaced=unplaced)

    def struck(self) -> dict[str, Struck]:
        """What each rule's findings are of, by rule."""
        return {
            rule: Struck(self._messages[rule], self._runs[rule], len(conns))
            for rule, conns in self._connections.items()
        }

    def rules_of(self, conn: int) -> tuple[str, ...]:
        """The rules of which a connection is counted."""
        return tuple(sorted(rule for rule, conns in self._connections.items() if conn in conns))

    def losses(self) -> Losses:
        """What was lost."""
        return self._losses + Losses(connections=len(self._losing))
