"""A streamed answer arrives whole: every delta once, and together what was promised."""

from collections.abc import Sequence

from streamgauge.core.checks.problem import WRONG_INDEX, Problem
from streamgauge.core.contract import Rule
from streamgauge.core.event import TERMINAL, Event, Kind


def partial_integrity(events: Sequence[Event], *, digests: bool) -> Problem | None:
    """What breaks `partial-integrity`; `digests` tells that the protocol has one of the whole answer."""
    expected = 0
    for place, event in enumerate(events):
        if event.kind == Kind.PARTIAL:
            if event.index != expected:
                numbers = (event.index, event.index), (expected, expected)
                return Problem(Rule.PARTIAL_INTEGRITY, WRONG_INDEX, (place,), numbers)
            expected += 1
        elif event.kind in TERMINAL:
            if not expected:
                break
            if digests and event.kind == Kind.COMPLETED and not event.answer:
                return Problem(Rule.PARTIAL_INTEGRITY, "no digest of the answer", (place,))
            if event.answer and event.answer != joined(events[: place + 1]):
                return Problem(Rule.PARTIAL_INTEGRITY, "deltas do not join to the answer", (place,))
            break  # what comes later breaks `terminal-last`, and that alone
    return None


def joined(events: Sequence[Event]) -> str:
    """The digest of all deltas that arrived: the one taken last knows them all."""
    return next((event.joined for event in reversed(events) if event.joined), "")


def streams(events: Sequence[Event]) -> bool:
    """Tell whether the run streamed its answer at all."""
    return any(event.kind == Kind.PARTIAL for event in events)
