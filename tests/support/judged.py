"""Rows as the checks judge them, assembled as they are in a run."""

from msgspec.structs import replace

from streamgauge.core.assembly import Assembler
from streamgauge.core.checks.fold import Checks
from streamgauge.core.checks.judge import judge
from streamgauge.core.checks.problem import Problem
from streamgauge.core.checks.state import CheckState
from streamgauge.core.checks.verdicts import conclude
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Finding, Ranges, Verdict
from streamgauge.core.history import History
from streamgauge.core.observation import Observation, Received
from streamgauge.core.ownership import Settlements
from tests.support.history import LIMITS, SECOND, run, session, started, thought, whole

BEGUN = (started(), thought(1), thought(2))  # how a good run begins
ANNS = run(*whole()).events[4].event  # one of Ann's events


def take(row: Observation, assembler: Assembler, checks: Checks) -> dict[str, bool]:
    """Settle what is due, take the row; of every request that was settled, whether its run broke no rule."""
    due = {history.asked.request: checks.settle(history).clean for history in assembler.settle_due(row.at_ns)}
    by_it = {history.asked.request: checks.settle(history).clean for history in assembler.add(row)}
    checks.add(row)
    return due | by_it


def checked(*rows: Observation) -> CheckState:
    """What the checks know after these rows, assembled as they are in a run."""
    settled = Settlements()
    assembler, checks = Assembler(LIMITS, settled), Checks(LIMITS, settled=settled)
    for row in sorted(rows, key=lambda row: row.at_ns):
        take(row, assembler, checks)
    for history in assembler.finish(1000 * SECOND):
        checks.settle(history)
    return checks.finish(assembler.strays)


def verdicts(state: CheckState) -> dict[Rule, Verdict]:
    return {verdict.rule: verdict for verdict in conclude(state, ())}


def findings(state: CheckState) -> list[Finding]:
    return [finding for verdict in conclude(state, ()) for finding in verdict.findings]


def failures(state: CheckState) -> list[tuple[Rule, str]]:
    return [(finding.rule, finding.problem) for finding in findings(state)]


def numbered(state: CheckState) -> list[tuple[Rule, str, Ranges]]:
    return [(finding.rule, finding.problem, finding.numbers) for finding in findings(state)]


def with_offsets(*offsets: int) -> list[Observation]:
    """A session whose one run is in order, but for its offsets."""
    rows = session(run(*whole()))
    left = iter(offsets)
    return [
        replace(row, event=replace(row.event, offset=next(left, row.event.offset)))
        if isinstance(row, Received) and row.event.offset
        else row
        for row in rows
    ]


def broken(history: History) -> list[Problem]:
    """What a run broke, judged alone."""
    return list(judge(history, LIMITS).problems)
