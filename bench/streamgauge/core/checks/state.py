"""What the checks of one process know at its end, to be merged with what others know."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from msgspec import Struct, field

from streamgauge.core.checks.extent import LeakedRuns, Leaks, Losses
from streamgauge.core.finding import Finding, Struck
from streamgauge.core.ownership import Owners

# How many findings of a rule are kept with their witnesses; all are counted.
KEPT: Final = 20


class StrayRun(Struct, frozen=True):
    """An event whose run its socket knew nothing of: whose it is, is known after merging."""

    finding: Finding
    late: bool
    times: int  # how many events of this run there were on this socket
    struck: tuple[str, ...]  # the rules of which this socket is counted already
    lost: bool  # where it was asked for not all of it came, or that was here, and later


class CheckState(Struct):
    """What the checks of one process know; `merge` adds another's."""

    exercised: dict[str, int] = {}
    unknown: dict[str, int] = {}
    found: dict[str, int] = {}
    findings: dict[str, list[Finding]] = {}
    owners: Owners = Owners()  # of runs
    canaries: dict[str, str] = {}  # token -> its user
    strays: list[StrayRun] = []
    leaks: Leaks = field(default_factory=Leaks)
    losses: Losses = Losses()
    struck: dict[str, Struck] = {}  # rule -> what its findings are of; runs that leaked are in `leaked`
    leaked: LeakedRuns = field(default_factory=LeakedRuns)

    @property
    def users(self) -> int:
        """How many users connected."""
        return len({*self.canaries.values(), *self.owners.users})

    def add(self, finding: Finding, times: int = 1) -> None:
        """Count a finding, and keep it while it is among the first."""
        self.found[finding.rule] = self.found.get(finding.rule, 0) + times
        self.findings[finding.rule] = _first(self.findings.get(finding.rule, []), [finding])

    def revise(self, known: Finding, better: Finding) -> None:
        """Put a finding of which more is known in the place of what was added before, if that was kept."""
        findings = self.findings[known.rule]
        self.findings[known.rule] = [better if each is known else each for each in findings]

    def merge(self, other: "CheckState") -> "CheckState":
        """Both states as one."""
        return CheckState(
            exercised=dict(Counter(self.exercised) + Counter(other.exercised)),
            unknown=dict(Counter(self.unknown) + Counter(other.unknown)),
            found=dict(Counter(self.found) + Counter(other.found)),
            findings={
                rule: _first(self.findings.get(rule, []), other.findings.get(rule, []))
                for rule in {*self.findings, *other.findings}
            },
            owners=self.owners.merge(other.owners),
            canaries={**self.canaries, **other.canaries},
            strays=[*self.strays, *other.strays],
            leaks=self.leaks.merge(other.leaks),
            losses=self.losses + other.losses,
            struck={
                rule: self.struck.get(rule, Struck()) + other.struck.get(rule, Struck())
                for rule in {*self.struck, *other.struck}
            },
            leaked=self.leaked.merge(other.leaked),
        )


def _first(one: Sequence[Finding], two: Sequence[Finding]) -> list[Finding]:
    """The earliest findings of both, whatever the order they were found in."""
    return sorted([*one, *two], key=_order)[:KEPT]


def _order(f: Finding) -> tuple[object, ...]:
    return f.at_ns, f.user, f.conn, f.problem, f.numbers, f.more, f.lasted_ns, f.run, f.token
