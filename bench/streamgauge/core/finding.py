"""What a check says: findings with their witnesses, verdicts, doubts.

A finding is data; its wording is made by `report`.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from streamgauge.core.contract import Rule


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


class Finding(Struct, frozen=True):
    """One breach of one rule, by one cause.

    `problem` is the kind of breach (`gap`, `repeat`, `step 3 missing`); `other`
    is the second user of a leak where it is known; `token` the canary that gave
    it away, until `other` is.
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
