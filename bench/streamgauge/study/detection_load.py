"""The loads under which detection is proved: short runs of the scenarios that come with the suite.

They are as long as it takes for a fault to have its chances, and their limits so wide that what a
busy machine does to a run decides nothing.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace


class Load(Struct, frozen=True):
    """A scenario, and what differs from the plan beside it (keys as in docs/plans.md).

    `of_personas` is changed in each of its personas.
    """

    scenario: str
    changes: Mapping[str, Any] = {}
    of_personas: Mapping[str, Any] = {}

    def plan(self, beside: Mapping[str, Any], **more: object) -> dict[str, Any]:
        """The values of the whole plan; `beside` are those of the scenario's own."""
        values = {**beside, **self.changes, **more}
        if self.of_personas:
            values["personas"] = [{**who, **self.of_personas} for who in values.get("personas", [{}])]
        return values


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
    return replace(load, changes={**load.changes, **changes})


def with_users_who(load: Load, **changes: object) -> Load:
    """The same load of users who are otherwise."""
    return replace(load, of_personas={**load.of_personas, **changes})
