"""A run that completes brought what its script makes: as many thoughts, tools and parts, and no more."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec.structs import astuple

from streamgauge.core.checks.problem import OTHER_PARTS, OTHER_THOUGHTS, OTHER_TOOLS, Problem
from streamgauge.core.contract import Rule
from streamgauge.core.event import TERMINAL, Event, Kind
from streamgauge.core.observation import Makes

# In the order of the fields of `Makes`.
_BREACHES: Final = (
    (Rule.THINKING_PRESENT, OTHER_THOUGHTS),
    (Rule.TOOL_PAIRING, OTHER_TOOLS),
    (Rule.PARTIAL_INTEGRITY, OTHER_PARTS),
)


def made(events: Sequence[Event]) -> Makes:
    """What came of the agent's work until the run's end."""
    thoughts = tools = parts = 0
    for event in events:
        if event.kind == Kind.THINKING:
            thoughts += not event.pipeline
        elif event.kind == Kind.TOOL_EXECUTING:
            tools += 1
        elif event.kind == Kind.PARTIAL:
            parts += 1
        elif event.kind in TERMINAL:
            break  # what comes later breaks `terminal-last`, and that alone
    return Makes(thoughts, tools, parts)


def not_of_the_script(due: Makes, events: Sequence[Event]) -> Iterator[Problem]:
    """What came more or less often than was due, one problem a rule; of a run that completed, else none."""
    end = next((place for place, event in enumerate(events) if event.kind in TERMINAL), None)
    if end is None or events[end].kind != Kind.COMPLETED:
        return
    for (rule, problem), came, wanted in zip(_BREACHES, astuple(made(events)), astuple(due), strict=True):
        if came != wanted:
            yield Problem(rule, problem, (end,), ((came, came), (wanted, wanted)))
