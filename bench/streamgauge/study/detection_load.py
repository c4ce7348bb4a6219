"""The loads under which detection is proved: short runs of the scenarios that come with the suite.

They are as long as it takes for a fault to have its chances, and their limits so wide that what a
busy machine does to a run decides nothing.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct


class Load(Struct, frozen=True):
    """A scenario, and what differs from the plan beside it (keys as in docs/plans.md)."""

    scenario: str
    changes: Mapping[str, Any] = {}

    def plan(self, beside: Mapping[str, Any], **more: object) -> dict[str, Any]:
        """The values of the whole plan; `beside` are those of the scenario's own."""
        return {**beside, **self.changes, **more}


_BRIEF: Final = {"users": 20, "spawn_rate": 200, "duration": 2.5, "slack": 6}
_LONGER: Final = {"users": 60, "spawn_rate": 200, "duration": 6, "slack": 6}
_LOCKSTEP: Final = {"kind": "lockstep", "interval": 0.4}
_POISSON: Final = {"kind": "poisson", "interval": 0.25}

STEADY: Final = Load("steady", {**_BRIEF, "arrivals": _POISSON})
STEADY_LONGER: Final = Load("steady", {**_LONGER, "arrivals": _POISSON})
ISOLATION: Final = Load("isolation", {**_BRIEF, "arrivals": _LOCKSTEP, "reopen": 1})
ISOLATION_LONGER: Final = Load("isolation", {**_LONGER, "arrivals": _LOCKSTEP, "reopen": 2})


def with_changes(load: Load, **changes: object) -> Load:
    """The same load, changed."""
    return Load(load.scenario, {**load.changes, **changes})
