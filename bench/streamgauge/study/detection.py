"""One cell of the detection matrix: a run with a fault, held against the fault's row.

Caught is a fault only where it struck, a rule of its row failed with a witness, nothing outside
the row did, and the recording gives the same verdict again. What could not be looked at
is unknown, never caught.
"""

from collections.abc import Iterator

from msgspec import Struct

from streamgauge.core.campaign import BYSTANDERS
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Finding, Outcome
from streamgauge.core.threshold import Level
from streamgauge.report.model import Report
from streamgauge.report.problems import sentence
from streamgauge.study.fault_table import LEAST_CHANCES, THRESHOLD, Row


class Cell(Struct, frozen=True, tag="matrix"):
    """What came of one run of the matrix.

    `failed` has the findings of each rule that failed (of thresholds: how many), `problems` the
    first finding of each. `struck` and `chances` are the server's own counts.
    """

    fault: str
    rate: float
    outcome: Outcome
    why: tuple[str, ...] = ()  # it is not a pass
    struck: int | None = None
    chances: int | None = None
    failed: dict[str, int] = {}
    problems: dict[str, str] = {}
    events: int = 0
    doubts: tuple[str, ...] = ()  # of its row


def could_not_run(row: Row, rate: float, why: str) -> Cell:
    """A cell whose run came to nothing."""
    return Cell(row.name, rate, Outcome.UNKNOWN, (why,))


def hold(row: Row, rate: float, live: Report, again: Report) -> Cell:
    """Hold a run, as it was judged live and `again` from its recording, against its fault's row."""
    failed = failures(live)
    committed = next((fault for fault in live.faults if fault.name.split(":")[0] == row.name), None)
    struck = committed.struck if committed else None
    chances = committed.opportunities if committed else None
    voided = _voided(row, live)
    misses = [*([] if voided else _misses(row, live, failed)), *_disagreements(live, again)]
    doubts = [*voided, *_unproven(rate, live, struck, chances)]
    # where it never struck there was nothing to miss; an alarm outside the row is one all the same
    outside = sorted(failed.keys() - {*row.must, *row.may})
    wrong = [*(f"{rule} failed, and is not in its row" for rule in outside), *(misses if struck else [])]
    return Cell(
        fault=row.name,
        rate=rate,
        outcome=Outcome.FAIL if wrong else Outcome.UNKNOWN if doubts else Outcome.PASS,
        why=(*wrong, *doubts),
        struck=struck,
        chances=chances,
        failed=failed,
        problems={
            verdict.rule.value: sentence(verdict.findings[0]) for verdict in live.verdicts if verdict.findings
        },
        events=live.counts.get("events", 0),
        doubts=tuple(doubt.name for doubt in live.doubts if doubt.name == row.doubt),
    )


def failures(report: Report) -> dict[str, int]:
    """How many findings each failing rule has, and how many thresholds were not kept."""
    failed = {v.rule.value: v.found for v in report.verdicts if v.outcome is Outcome.FAIL}
    limits = [
        one for one in report.thresholds if one.outcome is Outcome.FAIL and one.threshold.level is Level.FAIL
    ]
    return failed | ({THRESHOLD: len(limits)} if limits else {})


def _voided(row: Row, live: Report) -> list[str]:
    """Why the thresholds that must fail say nothing: the generator had no time for what it measures."""
    if THRESHOLD not in row.must or not any(one.outcome is Outcome.UNKNOWN for one in live.thresholds):
        return []
    if THRESHOLD in failures(live):
        return []
    return [f"a threshold is unknown: {doubt.name}" for doubt in live.doubts if doubt.voids]


def _misses(row: Row, live: Report, failed: dict[str, int]) -> Iterator[str]:
    """Why the fault is not found as its row says."""
    if row.doubt:
        if not any(doubt.name == row.doubt for doubt in live.doubts):
            yield f"there is no doubt {row.doubt!r}"
        elif live.outcome is not Outcome.UNKNOWN:
            yield f"the run is a {live.outcome}, for all the doubt {row.doubt!r}"
        return
    named = [rule for rule in row.must if rule in failed]
    if not named:
        yield f"{' or '.join(row.must)} did not fail"
    for verdict in live.verdicts:
        if verdict.rule.value not in named:
            continue
        if not all(map(_is_shown, verdict.findings)):
            yield f"{verdict.rule}: a finding has no witness"
        if row.problem and not any(row.problem in finding.problem for finding in verdict.findings):
            yield f"{verdict.rule}: no finding says {row.problem!r}"


def _is_shown(finding: Finding) -> bool:
    """Whether it shows where to look.

    What is found of the server itself has nothing but its counts, and what bystanders suffered
    is shown in their own report.
    """
    if finding.rule is Rule.RESOURCE or finding.user == BYSTANDERS:
        return True
    return any(witness.guilty for witness in finding.witnesses)


def _disagreements(live: Report, again: Report) -> Iterator[str]:
    """Where the recording gives another verdict than the run did."""
    before = {v.rule: (v.outcome, v.exercised, v.unknown, v.found) for v in live.verdicts}
    after = {v.rule: (v.outcome, v.exercised, v.unknown, v.found) for v in again.verdicts}
    for rule, told in before.items():
        if told != after.get(rule):
            yield f"{rule}: live {_told(told)}, from the recording {_told(after.get(rule))}"
    if live.outcome != again.outcome:
        yield f"live {live.outcome}, from the recording {again.outcome}"


def _told(verdict: tuple[Outcome, int, int, int] | None) -> str:
    if verdict is None:
        return "nothing"
    outcome, exercised, unknown, found = verdict
    return f"{outcome} ({found} found, {exercised} exercised, {unknown} unknown)"


def _unproven(rate: float, live: Report, struck: int | None, chances: int | None) -> Iterator[str]:
    """Why the run proves nothing about its fault."""
    if live.cut_short:
        yield "the run was cut short"
    if struck is None:
        yield "the server does not say how often it struck"
    elif not struck:
        yield "the fault never struck"
    if rate < 1 and chances is None:
        yield "the server does not say how many chances there were"
    elif rate < 1 and chances is not None and chances < LEAST_CHANCES:
        yield f"{chances:,} chances, and {LEAST_CHANCES:,} are needed"
