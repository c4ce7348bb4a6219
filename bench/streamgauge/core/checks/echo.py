"""What the request named comes back unchanged."""

from collections.abc import Sequence

from streamgauge.core.checks.problem import Problem
from streamgauge.core.contract import Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.history import History

# The events that repeat the request's id and context; ids of thread and agent stand on all.
_REPEATING = frozenset({Kind.STARTED, Kind.COMPLETED, Kind.FAILED})


def echo(history: History, events: Sequence[Event]) -> Problem | None:
    """What breaks `echo`; what the user left open, or the protocol does not repeat, is not judged."""
    asked = history.asked
    for place, event in enumerate(events):
        if history.thread and event.thread != history.thread:
            return Problem(Rule.ECHO, "another thread", (place,))
        if asked.agent and event.agent != asked.agent:
            return Problem(Rule.ECHO, "another agent", (place,))
        if event.kind in _REPEATING:
            if event.request != asked.request:
                return Problem(Rule.ECHO, "another request", (place,))
            if asked.context and event.context != asked.context:
                return Problem(Rule.ECHO, "another context", (place,))
    return None
