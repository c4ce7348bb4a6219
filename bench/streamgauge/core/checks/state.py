"""What the checks of one process know at its end, to be merged with what others know."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from streamgauge.core.finding import Finding

# How many findings of a rule are kept with their witnesses; all are counted.
KEPT: Final = 20


class StrayRun(Struct, frozen=True):
    """An event whose run its socket knew nothing of: whose it is, is known after merging."""

    finding: Finding
    late: bool
    times: int = 1  # how many events of this run there were on this socket


class CheckState(Struct):
    """What the checks of one process know; `merge` adds another's."""

    exercised: dict[str, int] = {}
    unknown: dict[str, int] = {}
    found: dict[str, int] = {}
    findings: dict[str, list[Finding]] = {}
    owners: dict[str, str] = {}  # run -> the user it was accepted for
    sockets: dict[str, int] = {}  # run -> that user's connection, the first of several
    shared: dict[str, tuple[str, ...]] = {}  # run -> all users it was accepted for, where it is not one
    canaries: dict[str, str] = {}  # token -> its user
    strays: list[StrayRun] = []

    @property
    def users(self) -> int:
        """How many users connected."""
        return len({*self.canaries.values(), *self.owners.values()})

    def add(self, finding: Finding, times: int = 1) -> None:
        """Count a finding, and keep it while it is among the first."""
        self.found[finding.rule] = self.found.get(finding.rule, 0) + times
        self.findings[finding.rule] = _first(self.findings.get(finding.rule, []), [finding])

    def merge(self, other: "CheckState") -> "CheckState":
        """Both states as one."""
        merged = CheckState(
            exercised=dict(Counter(self.exercised) + Counter(other.exercised)),
            unknown=dict(Counter(self.unknown) + Counter(other.unknown)),
            found=dict(Counter(self.found) + Counter(other.found)),
            findings={
                rule: _first(self.findings.get(rule, []), other.findings.get(rule, []))
                for rule in {*self.findings, *other.findings}
            },
            owners={**self.owners, **other.owners},
            sockets={
                run: min(self.sockets.get(run, conn), other.sockets.get(run, conn))
                for run, conn in {**self.sockets, **other.sockets}.items()
            },
            shared=dict(self.shared),
            canaries={**self.canaries, **other.canaries},
            strays=[*self.strays, *other.strays],
        )
        for run, users in other.shared.items():
            merged.share(run, *users)
        for run in self.owners.keys() & other.owners.keys():
            if self.owners[run] != other.owners[run]:
                merged.share(run, self.owners[run], other.owners[run])
        for run in merged.shared:  # there is more than one socket
            merged.sockets.pop(run, None)
        return merged

    def share(self, run: str, *users: str) -> None:
        """Note that a run was accepted for several users: `conclude` makes it a finding."""
        self.shared[run] = tuple(sorted({*self.shared.get(run, ()), *users}))
        self.owners[run] = self.shared[run][0]
        self.sockets.pop(run, None)


def _first(one: Sequence[Finding], two: Sequence[Finding]) -> list[Finding]:
    """The earliest findings of both, whatever the order they were found in."""
    return sorted([*one, *two], key=lambda f: (f.at_ns, f.user, f.conn, f.problem, f.run, f.token))[:KEPT]
