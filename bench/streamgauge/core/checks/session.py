"""What the checks remember of an open connection."""

from typing import Final

from msgspec import Struct

from streamgauge.core.checks.offsets import OffsetTrack
from streamgauge.core.finding import Finding
from streamgauge.core.observation import Received


class Session(Struct):
    """A connection since it was opened: whose it is, its numbers, and what broke a rule."""

    user: str
    offsets: OffsetTrack
    lost: int = 0  # events that a run's `seq` showed to be missing
    after_gaps: list[Received] = []  # the events that came where others were due: the first, and the last
    greeted: bool = False
    row: Finding | None = None  # of its offsets that came again or too late: the row of them that is last
    row_highest: int = 0  # the highest offset there was then: as long as none is higher, the row goes on
    guilty: set[str] = set()  # runs, or else requests, whose messages broke a rule here


# What arrives before a greeting belongs to no session, and has no numbers yet.
NOBODY: Final = Session("", OffsetTrack())
