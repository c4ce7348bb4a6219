"""Every request is settled in time, and nobody looks at a dead screen meanwhile."""

from collections.abc import Sequence
from operator import sub

from streamgauge.core.checks.problem import SILENT, Problem
from streamgauge.core.contract import Limits, Rule
from streamgauge.core.history import End, History, terminal
from streamgauge.core.observation import Asked

CANCELLED = "cancelled"


def complete(history: History) -> Problem | None:
    """What breaks `complete`: hanging, or ending in a cancel that nobody asked for."""
    if history.end is End.DEADLINE and history.asked.silent:
        return Problem(Rule.COMPLETE, "its report never came")
    if history.end is End.DEADLINE:
        last = (len(history.events) - 1,) if history.events else ()
        return Problem(Rule.COMPLETE, "never ended" if last else "never began", last)
    ending = terminal(history)
    if ending is not None and ending.status == CANCELLED and not history.cancelled:
        place = next(i for i, received in enumerate(history.events) if received.event is ending)
        return Problem(Rule.COMPLETE, "cancelled, and its user had not asked for it", (place,))
    return None


def no_silence(asked: Asked, arrivals_ns: Sequence[int], limits: Limits) -> Problem | None:
    """What breaks `no-silence`: judged over silences that an event ended.

    A silence that nothing ended is `complete`'s finding: one cause, one finding. One that an event
    ended after the deadline is found when that comes.
    """
    silence, place = longest_silence(asked.at_ns, arrivals_ns)
    if silence <= limits.silence_ns + asked.pause_ns:
        return None
    return Problem(Rule.NO_SILENCE, SILENT, (place,), lasted_ns=silence)


def longest_silence(asked_ns: int, arrivals_ns: Sequence[int]) -> tuple[int, int]:
    """The longest gap before an event, in ns, and that event's place; (0, -1) without events."""
    if not arrivals_ns:
        return 0, -1
    gaps = list(map(sub, arrivals_ns, [asked_ns, *arrivals_ns]))
    longest = max(gaps)
    return longest, gaps.index(longest)
