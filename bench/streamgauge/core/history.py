"""Everything that one run left: what was asked, and what came of it."""

from enum import Enum

from msgspec import Struct

from streamgauge.core.event import TERMINAL, Event
from streamgauge.core.observation import Asked, Received, Stretch
from streamgauge.core.stretch import unfold


class End(Enum):
    """Why nothing more is expected of a run."""

    TERMINAL = "terminal"  # its terminal event, and the grace time after it
    REFUSED = "refused"  # the server answered the request with an error
    DEADLINE = "deadline"  # nothing settled it in time
    ABANDONED = "abandoned"  # its connection ended first, and cannot be resumed


class History(Struct, gc=False):
    """One run as its user's socket saw it, from the request on.

    Its events stand in order of arrival, either in `stretches`, as long as all are plain, or in
    `events`. Whoever judges a history only reads it.
    `serial` is the assembler's own number for it. `plain` tells that every event so far was
    the very next by its `seq`: where not, or where nobody looked, the judge looks.
    """

    user: str
    asked: Asked
    run: str = ""
    thread: str = ""
    accepted: Received | Stretch | None = None  # what came with that
    stretches: list[Stretch] = []
    events: list[Received] = []
    cancelled: bool = False  # the user asked for that
    spoken: bool = False  # the user spoke into it
    ended_ns: int = 0  # when its first terminal event was read
    ending: Event | None = None  # that event, where the assembler took it
    end: End = End.DEADLINE
    serial: int = 0
    plain: bool = False
    again: bool = False  # its request was sent before, and not yet answered
    answers: int = 0  # so many more times it may be accepted, for its request was sent more than once

    @property
    def count(self) -> int:
        """How many events there are."""
        stretches = self.stretches
        if len(stretches) == 1:
            return len(stretches[0].forms)
        return sum([len(stretch.forms) for stretch in stretches]) if stretches else len(self.events)

    def unfold(self) -> None:
        """Have all events in `events`."""
        if self.stretches:
            self.events = [
                event for stretch in self.stretches for event in unfold(stretch)[stretch.accepted > 0 :]
            ]
            self.stretches = []


def terminal(history: History) -> Event | None:
    """The first terminal event of the run."""
    if history.ending is not None:
        return history.ending
    for received in history.events:
        if received.event.kind in TERMINAL:
            return received.event
    return None
