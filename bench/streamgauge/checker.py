"""The checker as a library: what was recorded goes in, findings and verdicts come out.

A pure function: no server, no socket, no clock. `streamgauge check` draws its
verdicts with it, and the live run folds the same rows in the same way.
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct

from streamgauge.core.analysis import AnalysisState
from streamgauge.core.checks.verdicts import conclude
from streamgauge.core.contract import EVERY_RULE, Limits, Rule
from streamgauge.core.finding import Finding, Outcome, Verdict, worst
from streamgauge.core.observation import Observation
from streamgauge.core.recording import End, Header, Recording
from streamgauge.study.rejudge import merged, rejudge_all

LIMITS: Final = Limits()


class Checked(Struct, frozen=True):
    """What the recordings of one run come to.

    `verdicts` stand in the order of `Rule`, one each; of a rule `found` counts all findings, and
    `findings` holds the first of them. `states` are what each recording knows, measurements included, on
    the clock of the first, and `state` is all of it; `whole` tells that no recording was cut off.
    """

    verdicts: tuple[Verdict, ...]
    state: AnalysisState
    states: tuple[AnalysisState, ...]
    whole: bool
    empty: bool = False  # there were no rows to judge

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings that were kept, in the order of `Rule` and of time."""
        return tuple(finding for verdict in self.verdicts for finding in verdict.findings)

    @property
    def outcome(self) -> Outcome:
        """Fail where any rule was broken; a pass where all was seen, and each required rule applied."""
        seen = [] if self.whole and not self.empty else [Outcome.UNKNOWN]
        told = [v.outcome for v in self.verdicts if v.required or v.outcome is Outcome.FAIL]
        return worst([*seen, *(told or [Outcome.PASS])])


def check(recordings: Sequence[Recording]) -> Checked:
    """Judge the recordings of one run, one a worker, by the rules and limits in their headers.

    Raises `MixedRecordings` where they are not of one run, `MisplacedRow` where a user asks on a
    connection that is not open, and `ValueError` where there are none.
    """
    if not recordings:
        raise ValueError("no recording to check: give at least one")
    states = tuple(rejudge_all(recordings))
    header = recordings[0].header
    state, required, promises = merged(states), map(Rule, header.required), map(Rule, header.promises)
    verdicts = conclude(state.checks, required, frozenset(promises))
    whole = all(recording.end is not None for recording in recordings)
    return Checked(verdicts, state, states, whole, not any(recording.rows for recording in recordings))


def check_rows(
    rows: Iterable[Observation],
    limits: Limits = LIMITS,
    *,
    promises: Collection[Rule] = EVERY_RULE,
    required: Collection[Rule] = (),
    until_ns: int | None = None,
) -> Checked:
    """Judge rows in the order of their time, which ended at `until_ns` (monotonic; else with the last row).

    What is open then and has its deadline yet to come is abandoned, not lost. Raises `ValueError` where
    a row is older than the one before it, or of a connection that is not open.
    """
    rows = list(rows)
    for place, (row, following) in enumerate(pairwise(rows), 1):
        if following.at_ns < row.at_ns:
            told = f"row {place} is of {following.at_ns} ns and comes after one of {row.at_ns} ns"
            raise ValueError(f"{told}: sort the rows by at_ns")
    began_ns, last_ns = (rows[0].at_ns, rows[-1].at_ns) if rows else (0, 0)
    header = Header(
        worker="",
        protocol="",
        clock="",
        began_ns=began_ns,
        limits=limits,
        required=tuple(required),
        plan="",
        promises=tuple(promises),
    )
    return check([Recording(header, rows, End(last_ns if until_ns is None else until_ns))])
