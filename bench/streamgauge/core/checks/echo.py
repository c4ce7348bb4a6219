"""What the request named comes back unchanged."""

from collections.abc import Sequence

from streamgauge.core.checks.problem import Problem
from streamgauge.core.contract import Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.history import History

# The events that repeat the request's id and context; ids of thread and agent stand on all.
_REPEATING = frozenset(map(int, (Kind.STARTED, Kind.COMPLETED, Kind.FAILED)))  # an enum's hash is slow


def echo(history: History, events: Sequence[Event]) -> Problem | None:
    """What breaks `echo`; what the user left open, or the protocol does not repeat, is not judged."""
    asked = history.asked
    agent, request, context = asked.agent, asked.request, asked.context
    thread = history.thread
    for place, event in enumerate(events):
        if event.thread != thread and thread:
            return Problem(Rule.ECHO, "another thread", (place,))
        if event.agent != agent and agent:
            return Problem(Rule.ECHO, "another agent", (place,))
        if event.kind in _REPEATING:
            if event.request != request:
                return Problem(Rule.ECHO, "another request", (place,))
            if event.context != context and context:
                return Problem(Rule.ECHO, "another context", (place,))
    return None
