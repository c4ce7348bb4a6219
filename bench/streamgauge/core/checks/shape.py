"""The shape of a run: all that the rules about the order of its events read of them.

Of a load's runs most have one of a few shapes, so that what was found of a shape
can be remembered. Two runs of one shape differ in names, times and numbers only.
"""

from collections.abc import Sequence
from typing import Final

from streamgauge.core.event import Event, Kind

_THINKING: Final = int(Kind.THINKING)
_PARTIAL: Final = int(Kind.PARTIAL)
_DETAIL: Final = 16  # kinds lie below


def shape(events: Sequence[Event]) -> tuple[int, ...]:
    """A number an event: its kind, and beside it which pipeline step, tool call or part it is.

    Tool calls are numbered in the order in which they first appear; -1 stands for an error that
    cut the run off, and so may leave calls open.
    """
    calls: dict[str, int] = {}
    form = []
    for event in events:
        kind = event.kind
        if kind == _THINKING:
            form.append(kind + _DETAIL * (2 * event.step + 1) if event.pipeline else kind)  # never the same
        elif kind == _PARTIAL:
            form.append(kind + _DETAIL * (event.index + 1))
        elif event.call:
            form.append(kind + _DETAIL * (1 + calls.setdefault(event.call, len(calls))))
        else:
            form.append(-1 if event.cut else kind)
    return tuple(form)
