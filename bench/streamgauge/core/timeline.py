"""Brings what workers on several machines saw to one timeline, before it is merged.

Each worker's times are of its own machine's monotonic clock, which began when that
machine did. What they have in common is the time of day: good enough to say in which
second something was, and no latency is taken from it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from streamgauge.core.analysis import AnalysisState
from streamgauge.core.checks.state import CheckState
from streamgauge.core.finding import Finding

_SECOND_NS = 1_000_000_000


class Origin(Struct, frozen=True):
    """A monotonic clock by its id; it showed zero at `epoch_ns`, in ns since 1970 (0: not known)."""

    clock: str
    epoch_ns: int = 0


def aligned(parts: Iterable[tuple[AnalysisState, Origin]]) -> list[AnalysisState]:
    """All states on the clock of the first; those of the same clock, or of one unknown, as they are."""
    first: Origin | None = None
    states = []
    for state, origin in parts:
        first = first or origin
        apart = origin.clock != first.clock and origin.epoch_ns and first.epoch_ns
        states.append(shifted(state, origin.epoch_ns - first.epoch_ns) if apart else state)
    return states


def shifted(state: AnalysisState, by_ns: int) -> AnalysisState:
    """The same, later by so much."""
    seconds = round(by_ns / _SECOND_NS)
    return replace(
        state,
        checks=_checks(state.checks, by_ns),
        seconds={second + seconds: n for second, n in state.seconds.items()},
        began_ns=state.began_ns + by_ns,
        ended_ns=state.ended_ns + by_ns,
    )


def _checks(checks: CheckState, by_ns: int) -> CheckState:
    return replace(
        checks,
        findings={rule: [_finding(one, by_ns) for one in found] for rule, found in checks.findings.items()},
        strays=[replace(stray, finding=_finding(stray.finding, by_ns)) for stray in checks.strays],
    )


def _finding(found: Finding, by_ns: int) -> Finding:
    return replace(
        found,
        at_ns=found.at_ns + by_ns if found.at_ns else 0,
        witnesses=tuple(replace(witness, at_ns=witness.at_ns + by_ns) for witness in found.witnesses),
    )


def time_of_day(origin: Origin, at_ns: int) -> datetime | None:
    """The time of day at `at_ns` of the clock, to the microsecond; None where it is not known."""
    if not origin.epoch_ns:
        return None
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=(origin.epoch_ns + at_ns) // 1_000)
