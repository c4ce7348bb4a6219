"""A rule that the protocol does not promise is never applied, whatever a stream does."""

from collections.abc import Collection
from itertools import product

import pytest
from msgspec.structs import replace

from streamgauge.core.analysis import Analysis
from streamgauge.core.checks.judge import judge
from streamgauge.core.checks.lifecycle import lifecycle
from streamgauge.core.checks.verdicts import conclude
from streamgauge.core.contract import ATTACKED, COUNTED, EVERY_RULE, Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.finding import Outcome, Verdict
from streamgauge.core.observation import Closed, Malformed, Observation, Received
from tests.support.history import (
    CLOCK,
    LIMITS,
    SECOND,
    completed,
    ended,
    failed,
    heard,
    lost,
    opened,
    part,
    run,
    session,
    started,
    thought,
    tool,
    twice,
    wait,
    work,
)

R = Rule
BEGUN = (started(), thought(1), thought(2))


def elsewhere(row: Observation) -> Observation:
    """The same on another thread."""
    return replace(row, event=replace(row.event, thread="t2")) if isinstance(row, Received) else row


# of every rule a stream that breaks it, and it alone
BREACHES: dict[Rule, list[Observation]] = {
    R.STARTED_FIRST: session(run(started(), *BEGUN, thought(3), completed())),
    R.THINKING_PRESENT: session(run(started(), completed())),
    R.TOOL_PAIRING: session(run(*BEGUN, tool("c"), thought(3), completed())),
    R.TERMINAL_LAST: session(run(*BEGUN, thought(3), completed(), failed())),
    R.SEQ_CONTIGUOUS: session(run(*BEGUN, lost(tool("c")), ended("c"), thought(3), completed())),
    R.OFFSET_CONTIGUOUS: [
        *session(run(*BEGUN, thought(3), completed())),
        heard(Event(Kind.ACK, offset=9), at=0.1),
    ],
    R.PARTIAL_INTEGRITY: session(run(*BEGUN, part(1), thought(3), completed())),
    R.COMPLETE: session(run(*BEGUN), leaves=False),
    R.NO_SILENCE: session(run(*BEGUN, wait(20), thought(3), completed())),
    R.ECHO: [elsewhere(row) for row in session(run(*BEGUN, thought(3), completed()))],
    R.PROTOCOL: [*session(run(*BEGUN, thought(3), completed())), Malformed(1, 100_000_000, 9, "why")],
    R.ISOLATION_ENVELOPE: [
        *session(run(*BEGUN, thought(3), completed())),
        heard(Event(Kind.ACK, user="ben"), at=0.1),
    ],
    R.ISOLATION_CANARY: [
        *session(run(*BEGUN, thought(3), completed())),
        heard(Event(Kind.ACK), at=0.1, foreign="sgcanaryB"),
    ],
}


def verdicts(rows: list[Observation], promises: Collection[Rule]) -> dict[Rule, Verdict]:
    analysis = Analysis(LIMITS, CLOCK, 0, promises)
    for row in sorted(rows, key=lambda row: row.at_ns):
        analysis.add(row)
    state = analysis.finish(rows[-1].at_ns + 100_000_000_000)
    assert {Rule(name) for name in (*state.checks.exercised, *state.checks.found)} <= set(promises)
    return {verdict.rule: verdict for verdict in conclude(state.checks, Rule, promises)}


@pytest.mark.parametrize("rule", sorted(EVERY_RULE - ATTACKED - COUNTED))
def test_a_breach_of_what_is_not_promised_is_none(rule: Rule) -> None:
    rows = BREACHES[rule]
    judged = verdicts(rows, EVERY_RULE)
    assert judged[rule].outcome is Outcome.FAIL, "the example shows nothing"
    unpromised = verdicts(rows, EVERY_RULE - {rule})
    assert unpromised.pop(rule) == Verdict(rule, Outcome.UNKNOWN, False, 0, 0, 0, promised=False)
    assert all(verdict.promised and verdict.required for verdict in unpromised.values())


def test_a_number_that_is_not_promised_masks_nothing() -> None:
    rows = session(run(*BEGUN, lost(tool("c")), ended("c"), thought(3), completed()))
    assert verdicts(rows, EVERY_RULE)[R.TOOL_PAIRING].unknown == 1
    judged = verdicts(rows, EVERY_RULE - {R.SEQ_CONTIGUOUS})
    assert [finding.problem for finding in judged[R.TOOL_PAIRING].findings] == [
        "tool completed that was not running"
    ]


def test_a_run_is_judged_by_what_is_promised_alone() -> None:
    history = run(*BEGUN, lost(tool("c")), ended("c"), thought(3), completed())
    judgement = judge(history, LIMITS, {R.ECHO, R.SEQ_CONTIGUOUS, R.TOOL_PAIRING})
    assert judgement.exercised == (R.SEQ_CONTIGUOUS, R.ECHO)
    assert judgement.unknown == (R.TOOL_PAIRING,)
    assert [problem.rule for problem in judgement.problems] == [R.SEQ_CONTIGUOUS]


def test_a_repeat_is_then_an_event_like_any_other() -> None:
    rows = session(run(*BEGUN, thought(3), twice(completed())))
    judged = verdicts(rows, EVERY_RULE - {R.SEQ_CONTIGUOUS, R.OFFSET_CONTIGUOUS})
    assert {rule for rule, verdict in judged.items() if verdict.found} == {R.TERMINAL_LAST}


def test_a_run_that_strays_is_still_found_where_names_do_not_tell_whose_it_is() -> None:
    anns = session(run(*BEGUN, thought(3), completed()))
    stray = heard(replace(started(), run="r1"), conn=2, at=0.02)
    rows = [*anns, opened("ben", 2), stray, Closed(2, 10 * SECOND, 1000, ours=True)]
    assert {rule for rule, verdict in verdicts(rows, EVERY_RULE).items() if verdict.found} == {
        R.ISOLATION_ENVELOPE
    }
    judged = verdicts(rows, EVERY_RULE - {R.ISOLATION_ENVELOPE})
    assert {rule for rule, verdict in judged.items() if verdict.found} == {R.PROTOCOL}


def begins_and_ends(events: tuple[Event, ...]) -> set[Rule]:
    """What of a run without a pipeline is wrong, told without the table."""
    kinds = [event.kind for event in events]
    end = next(
        (place for place, kind in enumerate(kinds) if kind in (Kind.COMPLETED, Kind.FAILED)), len(kinds)
    )
    life = kinds[: end + 1]
    broken = set()
    if life and life != [Kind.FAILED] and (life[0] != Kind.STARTED or life.count(Kind.STARTED) != 1):
        broken.add(R.STARTED_FIRST)
    if len(kinds) > end + 1:
        broken.add(R.TERMINAL_LAST)
    return broken


@pytest.mark.parametrize("length", range(6))
def test_without_thoughts_the_contract_s_table_judges_start_and_end_alone(length: int) -> None:
    for events in product([started(), work(), completed(), failed()], repeat=length):
        broken = {problem.rule for problem in lifecycle(events)} - {R.THINKING_PRESENT}
        assert broken == begins_and_ends(events), [event.kind for event in events]
