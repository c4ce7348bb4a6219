"""How many there were of everything, and what share of the runs was whole.

The three shares are what the project began with: a run counts towards a share
only where nobody kept it from getting there (its user's cancel, a script that
fails on purpose, a run that is to emit nothing, a connection that its user left).
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from msgspec import Struct

from streamgauge.core.contract import EVERY_RULE, Rule
from streamgauge.core.event import LAST_RUN_EVENT, Event, Kind
from streamgauge.core.history import End, History, terminal
from streamgauge.core.observation import (
    Asked,
    Cancelled,
    Closed,
    Malformed,
    Observation,
    Opened,
    Received,
    Unsent,
)

SECOND_NS = 1_000_000_000
_BATCH: Final = 8192
_EVERY_STEP: Final = frozenset({1, 2, 3})  # of the pipeline
_ENDINGS = (
    "runs completed",
    "runs silent",
    "runs refused",
    "runs abandoned",
    "runs never settled",
    "runs ended in ",
)


class Share(Struct, frozen=True):
    """`good` of `of`; None of nothing is no share."""

    good: int = 0
    of: int = 0

    @property
    def value(self) -> float | None:
        """The share, 0–1."""
        return self.good / self.of if self.of else None


class Tally:
    """Counts rows and runs by name, and events by the second they were read in."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._by_kind: Counter[int] = Counter()
        self._kinds: list[int] = []  # yet to be counted
        self._seconds: Counter[int] = Counter()

    def add(self, row: Observation) -> None:
        """Count one row."""
        match row:
            case Received():
                kind = row.event.kind
                self._by_kind[kind] += 1
                if kind <= LAST_RUN_EVENT:
                    self._seconds[row.at_ns // SECOND_NS] += 1
                if row.exact:
                    self._counts["exact stamps"] += 1
                elif not row.kernel_ns:
                    self._counts["messages without a kernel stamp"] += 1
            case Asked():
                self._counts["requests"] += 1
            case Unsent():
                self._counts["requests unsent"] += 1
                self._counts[f"unsent: {row.why}"] += 1
            case Cancelled():
                self._counts["cancels"] += 1
            case Opened():
                self._counts["connections"] += 1
            case Closed():
                self._counts["closed by the user" if row.ours else "closed by the server"] += 1
            case Malformed():
                self._counts["malformed messages"] += 1

    def read(self, rows: Sequence[Received]) -> None:
        """Count the rows of one read, all of them events of runs."""
        last = rows[-1]
        self._kinds.extend([row.event.kind for row in rows])
        if len(self._kinds) > _BATCH:
            self._count_kinds()
        self._seconds[last.at_ns // SECOND_NS] += len(rows)
        if last.exact:
            self._counts["exact stamps"] += 1
        elif not last.kernel_ns:
            self._counts["messages without a kernel stamp"] += len(rows)

    def _count_kinds(self) -> None:
        self._by_kind.update(self._kinds)
        self._kinds.clear()

    def settle(self, history: History, *, whole: bool) -> None:
        """Count one settled run; `whole` is what the checks say of its sequence."""
        counts = self._counts
        ending = terminal(history)
        counts[f"runs {_ending(history, ending)}"] += 1
        if history.end is End.ABANDONED or history.cancelled or history.asked.fails or history.asked.silent:
            return
        counts["runs expected whole"] += 1
        finished = ending is not None and ending.kind == Kind.COMPLETED
        steps = {received.event.step for received in history.events if received.event.pipeline}
        counts["runs with thinking"] += steps >= _EVERY_STEP
        counts["runs with a result"] += finished
        counts["runs with the full sequence"] += whole and finished

    @property
    def events(self) -> int:
        """Events of runs so far."""
        self._count_kinds()
        return sum(n for kind, n in self._by_kind.items() if kind <= LAST_RUN_EVENT)

    def counts(self) -> dict[str, int]:
        """Everything counted, by name."""
        self._count_kinds()
        messages = {f"received {Kind(kind).name.lower()}": n for kind, n in self._by_kind.items()}
        return dict(self._counts) | messages | {"events": self.events, "messages": self._by_kind.total()}

    def seconds(self) -> dict[int, int]:
        """Events read, by second of the monotonic clock."""
        return dict(self._seconds)


def _ending(history: History, ending: Event | None) -> str:
    if history.end is End.ABANDONED:
        return "abandoned"
    if history.end is End.REFUSED:
        return "refused"
    if history.asked.silent and history.ended_ns:
        return "silent"
    if ending is None:
        return "never settled"
    return "completed" if ending.kind == Kind.COMPLETED else f"ended in {ending.status or 'error'}"


def runs(counts: Mapping[str, int]) -> int:
    """How many runs were settled, whatever way."""
    return sum(n for name, n in counts.items() if name.startswith(_ENDINGS))


def shares(counts: Mapping[str, int], promises: Collection[Rule] = EVERY_RULE) -> dict[str, Share]:
    """The shares that a healthy server keeps at 100 %: three, or two where no thoughts are promised."""
    of = counts.get("runs expected whole", 0)
    thinking = {"runs with thinking": Share(counts.get("runs with thinking", 0), of)}
    return {
        "runs with the full sequence": Share(counts.get("runs with the full sequence", 0), of),
        **(thinking if Rule.THINKING_PRESENT in promises else {}),
        "delivery success": Share(counts.get("runs with a result", 0), of),
    }
