"""Every tool call has one beginning and one end, in this order."""

from collections.abc import Sequence

from streamgauge.core.checks.problem import Problem
from streamgauge.core.contract import Rule
from streamgauge.core.event import TERMINAL, Event, Kind


def tool_pairing(events: Sequence[Event]) -> Problem | None:
    """What breaks `tool-pairing`; parallel calls may interleave."""
    running: dict[str, int] = {}
    texts: list[str] = []
    places: list[int] = []

    def broken(text: str, place: int) -> None:
        texts.append(text)
        places.append(place)

    for place, event in enumerate(events):
        if event.kind == Kind.TOOL_EXECUTING:
            if event.call in running:
                broken("tool begun twice", place)
            running[event.call] = place
        elif event.kind == Kind.TOOL_COMPLETED:
            if running.pop(event.call, None) is None:
                broken("tool completed that was not running", place)
        elif event.kind in TERMINAL:
            if not event.cut:
                for begun in running.values():
                    broken("tool never completed", begun)
            break  # what comes later breaks `terminal-last`, and that alone
    if not texts:
        return None
    return Problem(Rule.TOOL_PAIRING, ", ".join(dict.fromkeys(texts)), tuple(places))
