"""What a check says: findings with their witnesses, verdicts, doubts.

A finding is data; its wording is made by `report`.
"""

from enum import StrEnum
from operator import add
from typing import Final

from msgspec import Struct
from msgspec.structs import astuple

from streamgauge.core.contract import Rule

Ranges = tuple[tuple[int, int], ...]
"""Numbers from the first to the last of each pair, both included."""


class Outcome(StrEnum):
    """The three outcomes; a check that could not look is never a pass."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"


# Fail outranks unknown, unknown outranks pass.
_RANK = {Outcome.PASS: 0, Outcome.UNKNOWN: 1, Outcome.FAIL: 2}


def worst(outcomes: list[Outcome]) -> Outcome:
    """The outcome that outranks the others; unknown where there is none."""
    return max(outcomes, key=_RANK.__getitem__, default=Outcome.UNKNOWN)


class Witness(Struct, frozen=True):
    """One event as a finding shows it: ids, kinds, lengths and times, never text."""

    at_ns: int
    kind: str
    run: str = ""
    seq: int = 0
    offset: int = 0
    size: int = 0
    detail: str = ""
    guilty: bool = False  # this is the event that broke the rule


class Excess(Struct, frozen=True):
    """What a server counted as open, and the most that there may be: at the end, its baseline.

    `waited_ns` after the last user had closed it was still there; 0 in mid-run.
    """

    counted: int
    allowed: int
    waited_ns: int = 0
    linger_ns: int = 0  # after so long it had to be gone


class Finding(Struct, frozen=True):
    """One breach of one rule, by one cause.

    `problem` is the kind of breach: one constant phrase, without what is this one's own (`gap`, `repeat`,
    `step 3 missing`); of `protocol` it may be what a reader says of a message, and of `isolation-active` it
    is a sentence of what a target answered. `numbers` are those that it is about, of `seq`, `offset` or
    `index`, by the rule: what never came, or each that came again or too late, as it came; of an index that
    is wrong the one that came, then the one that was due. `other` is the second user of a leak where it is
    known; `token` the canary that gave it away, until `other` is.
    """

    rule: Rule
    problem: str
    user: str
    conn: int
    at_ns: int
    run: str = ""
    request: str = ""
    other: str = ""
    token: str = ""
    other_conn: int = 0  # the connection on which the second user asked for the run; 0 where it is not known
    witnesses: tuple[Witness, ...] = ()
    id: str = ""  # its name in the report: the rule, and the how manieth it is
    theirs: tuple[Witness, ...] = ()  # of a leak: what the second user's socket saw around it
    theirs_run: str = ""  # the run that is of; empty where it is `run`
    numbers: Ranges = ()
    more: int = 0  # numbers beyond these, which are only counted
    lasted_ns: int = 0  # of a silence
    excess: Excess | None = None  # of the rule `resource`


class Struck(Struct, frozen=True):
    """How many messages, runs and connections the findings of one rule are of.

    Messages are counted of rules that are applied to messages. A run is one on each connection on
    which it broke the rule; but whose messages leaked is one run, however many received them.
    """

    messages: int = 0
    runs: int = 0
    connections: int = 0
    more_runs: int = 0  # at most so many more leaked: of messages whose run is not told, or is nobody's known

    def __add__(self, other: "Struck") -> "Struck":
        return Struck(*map(add, astuple(self), astuple(other)))


class Verdict(Struct, frozen=True):
    """What one rule came to.

    `exercised` counts the times the rule was applied, `unknown` the times another
    finding kept it from being applied, `found` all findings, of which `findings`
    holds the first few. A rule that the protocol does not promise is never applied.
    """

    rule: Rule
    outcome: Outcome
    required: bool
    exercised: int
    unknown: int
    found: int
    findings: tuple[Finding, ...] = ()
    promised: bool = True
    struck: Struck = Struck()  # what all findings together are of


# what a doubt makes unknown
VERDICT: Final = "verdict"  # everything
LATENCY: Final = "latency"  # every time, and what is made of times
NOTHING: Final = ""


class Doubt(Struct, frozen=True):
    """A reason why a result may not be trusted; `voids` says what it makes unknown."""

    name: str
    value: str
    limit: str
    advice: str
    voids: str
