"""How many there were of everything, and what share of the runs was whole.

The three shares are what the project began with: a run counts towards a share
only where nobody kept it from getting there (its user's cancel, a script that
fails on purpose, a run that is to emit nothing, a connection that its user left).
"""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final

import numpy as np
from msgspec import Struct

from streamgauge.core.alike import Alike
from streamgauge.core.contract import EVERY_RULE, Rule
from streamgauge.core.event import LAST_RUN_EVENT, Kind
from streamgauge.core.observation import (
    Asked,
    Cancelled,
    Closed,
    Malformed,
    Observation,
    Opened,
    Received,
    Stretch,
    Unsent,
)
from streamgauge.core.stretch import KINDS

SECOND_NS = 1_000_000_000
_BATCH: Final = 8192
_ACCEPTED: Final = int(Kind.ACCEPTED)
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
        self._forms = bytearray()  # yet to be counted
        self._exact = self._requests = self._accepted = 0
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
                    self._exact += 1
                elif not row.kernel_ns:
                    self._counts["messages without a kernel stamp"] += 1
            case Asked():
                self.ask()
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

    def ask(self) -> None:
        """Count a request."""
        self._requests += 1

    def read(self, stretch: Stretch) -> None:
        """Count the events of a stretch."""
        forms = stretch.forms
        self._forms += forms
        messages = len(forms)
        if stretch.accepted:
            self._accepted += 1
            messages += 1
        if len(self._forms) > _BATCH:
            self._count_forms()
        self._seconds[stretch.at_ns // SECOND_NS] += len(forms)
        if stretch.exact:
            self._exact += 1
        elif not stretch.kernel_ns:
            self._counts["messages without a kernel stamp"] += messages

    def _count_forms(self) -> None:
        counts = np.bincount(np.frombuffer(self._forms.translate(KINDS), np.uint8))
        found = {**dict(enumerate(counts.tolist())), _ACCEPTED: self._accepted}
        self._by_kind.update({kind: n for kind, n in found.items() if n})
        self._accepted = 0
        self._forms.clear()

    def settle(self, runs: Alike) -> None:
        """Count settled runs that are alike."""
        counts, like, n = self._counts, runs.of, runs.n
        counts[f"runs {like.ending}"] += n
        if like.expected:
            counts["runs expected whole"] += n
            counts["runs with thinking"] += n * like.thinks
            counts["runs with a result"] += n * like.finished
            counts["runs with the full sequence"] += n * (like.whole and like.finished)

    @property
    def events(self) -> int:
        """Events of runs so far."""
        self._count_forms()
        return sum(n for kind, n in self._by_kind.items() if kind <= LAST_RUN_EVENT)

    def counts(self) -> dict[str, int]:
        """Everything counted, by name."""
        self._count_forms()
        messages = {f"received {Kind(kind).name.lower()}": n for kind, n in self._by_kind.items()}
        counted = {"exact stamps": self._exact, "requests": self._requests}
        some = {name: n for name, n in counted.items() if n}
        total = {"events": self.events, "messages": self._by_kind.total()}
        return dict(self._counts) | some | messages | total

    def seconds(self) -> dict[int, int]:
        """Events read, by second of the monotonic clock."""
        return dict(self._seconds)


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
