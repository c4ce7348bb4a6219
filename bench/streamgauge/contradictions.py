"""What a plan may not ask for at once, or of this protocol: each key alone is fine."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from streamgauge.arrivals import Spike

if TYPE_CHECKING:
    from streamgauge.plan import Plan

FAULTS: Final = ("drop-thinking", "shared-global", "swap")  # of the reference server, docs/faults.md


def contradictions(plan: "Plan") -> Iterator[str]:
    """Each as `key: why, and what to do`."""
    if plan.processes > plan.users:
        yield (
            f"processes: {plan.processes} of them have only {plan.users} users to share: "
            "at most one for each user"
        )
    if plan.slice_runs and plan.processes > 1:
        yield "processes: the users of slices act together, in one process: leave it out"
    if plan.faults and plan.target:
        yield "faults: only the reference server commits them: leave out the target"
    for place, fault in enumerate(plan.faults):
        yield from (f"faults[{place}]: {problem}" for problem in _fault(fault))
    arrivals = plan.arrivals
    if isinstance(arrivals, Spike) and arrivals.at >= plan.duration:
        yield f"arrivals.at: the spike is due after {arrivals.at:g} s, the run ends after {plan.duration:g} s"


def _fault(written: str) -> Iterator[str]:
    name, colon, rate = written.partition(":")
    if name not in FAULTS:
        yield f"there is no fault {name!r}; known are {', '.join(FAULTS)}"
    try:
        share = float(rate) if colon else 1.0
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        yield f"{written!r}: the rate is a share of runs, above 0 and at most 1: {name}:0.01"
