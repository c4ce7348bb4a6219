"""Each fault of the event stream alone, in half of the runs: its rule finds every strike, no other fails."""

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from streamgauge.core.analysis import Analysis
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Outcome
from streamgauge.core.recording import Recording
from streamgauge.core.stretch import unfolded
from streamgauge.report.problems import sentence
from tests.support.analysed import unordered
from tests.support.command import Done, Run

R = Rule

# Everything that a fault needs to be provoked: docs/faults.md.
PLAN = """
scenario = "{scenario}"
users = 12
spawn_rate = 60
duration = 1.2
arrivals = {{ kind = "{kind}", interval = {interval} }}
silence = 0.4
slack = {slack}
grace = 0.3
witness_share = {witnesses}
personas = [{{ script = [{script}] }}]
"""
SLOW_TOOLS = ", ".join(
    [
        *['{ do = "tool", name = "search", ms = 150 }'] * 6,
        '{ do = "stream", chunks = 3, per_second = 10 }',
        '{ do = "result" }',
    ]
)


class Load(NamedTuple):
    """What a row of the table needs of it."""

    scenario: str = "steady"
    kind: str = "poisson"
    interval: float = 0.2
    slack: float = 2
    witnesses: float = 0
    script: str = ""


ANY = Load()
WITNESSES = Load("isolation", "lockstep", 0.4, witnesses=0.3)
TWINS = Load("isolation", "lockstep", 0.2)
LONG_RUNS = Load(interval=0.6, script=SLOW_TOOLS)
SHORT_DEADLINE = Load(slack=0.5)


class Row(NamedTuple):
    """A fault, the rule that must fail and how, those that may, and the load that shows it."""

    fault: str
    must: Rule
    problem: str  # a pattern of each finding of that rule
    may: frozenset[Rule] = frozenset()
    load: Load = ANY


ROWS = (
    Row(
        "foreign-metadata:0.5",
        R.ISOLATION_ENVELOPE,
        "another user's message",
        frozenset({R.ISOLATION_CANARY}),
    ),
    Row("drop:0.5", R.SEQ_CONTIGUOUS, r"gap: seq [2-9] never came", frozenset({R.OFFSET_CONTIGUOUS})),
    Row("tail-loss:0.5", R.COMPLETE, "never ended"),
    Row("duplicate:0.5", R.SEQ_CONTIGUOUS, r"repeat of seq [2-9]", frozenset({R.OFFSET_CONTIGUOUS})),
    Row("completed-first:0.5", R.TOOL_PAIRING, "tool completed that was not running, tool never completed"),
    Row("two-terminals:0.5", R.TERMINAL_LAST, "agent completed after the end"),
    Row(
        "torn:0.5",
        R.PROTOCOL,
        "not a JSON object with a type",
        frozenset({R.SEQ_CONTIGUOUS, R.OFFSET_CONTIGUOUS}),
    ),
    Row("corrupt-delta:0.5", R.PARTIAL_INTEGRITY, "deltas do not join to the answer"),
    Row("wrong-echo:0.5", R.ECHO, "another request", frozenset({R.COMPLETE}), TWINS),
    Row(
        "first-event-race:0.5",
        R.STARTED_FIRST,
        "head missing: seq 1 never came",
        frozenset({R.SEQ_CONTIGUOUS, R.OFFSET_CONTIGUOUS}),
    ),
    Row("silence:0.5:800ms", R.NO_SILENCE, r"silent for 0\.\d s", frozenset({R.COMPLETE})),
    Row("batching:0.5", R.NO_SILENCE, r"silent for 1\.\d s", load=LONG_RUNS),
)


def committed(streamgauge: Run, folder: Path, fault: str, load: Load = ANY) -> tuple[Done, int]:
    """A run against a server that commits the fault in some runs, and in how many it did."""
    plan = PLAN.format(**load._asdict())
    (folder / "plan.toml").write_text(plan)
    done = streamgauge("run", "--plan", "plan.toml", "--fault", fault)
    (of,) = done.report.faults
    assert of.struck is not None
    assert of.opportunities is not None
    assert 0 < of.struck < of.opportunities
    both_ways_of_judging_agree(done)
    return done, of.struck


def both_ways_of_judging_agree(done: Done) -> None:
    """Plain events taken together, or each shown to every rule: the verdicts are the same."""
    (path,) = done.folder.glob("recording/*.sgr")
    recording = Recording.of(path.read_bytes())
    header, end = recording.header, recording.end
    assert end is not None
    together, alone = (Analysis(header.limits, header.clock, header.began_ns) for _ in range(2))
    for row in recording.rows:
        together.add(row)
    for row in unfolded(recording.rows):
        alone._look_at(row)
    assert unordered(together.finish(end.at_ns)) == unordered(alone.finish(end.at_ns))


def found(done: Done, rule: Rule) -> int:
    (verdict,) = (verdict for verdict in done.report.verdicts if verdict.rule == rule)
    return verdict.found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.fault)
def test_every_strike_is_found_by_its_rule_and_nothing_else_fails(
    streamgauge: Run, tmp_path: Path, row: Row
) -> None:
    done, struck = committed(streamgauge, tmp_path, row.fault, row.load)
    assert done.code == 1, done.out + done.err
    assert row.must in done.failing
    assert done.failing <= {row.must} | row.may
    assert found(done, row.must) == struck
    (verdict,) = (verdict for verdict in done.report.verdicts if verdict.rule == row.must)
    for finding in verdict.findings:
        assert re.fullmatch(row.problem, sentence(finding))
        assert any(witness.guilty for witness in finding.witnesses)
    assert row.must in done.out


def test_a_part_left_out_in_silence_is_found_by_the_rule_that_needs_it(
    streamgauge: Run, tmp_path: Path
) -> None:
    done, struck = committed(streamgauge, tmp_path, "drop-silent:0.5")
    parts = {R.TOOL_PAIRING, R.PARTIAL_INTEGRITY, R.THINKING_PRESENT}
    assert (done.code, done.failing) == (1, parts)
    assert sum(found(done, rule) for rule in parts) == struck


def test_what_was_sent_to_all_sockets_is_found_on_those_that_never_asked(
    streamgauge: Run, tmp_path: Path
) -> None:
    done, struck = committed(streamgauge, tmp_path, "broadcast:0.5", WITNESSES)
    may = {R.ISOLATION_ENVELOPE, R.STARTED_FIRST, R.SEQ_CONTIGUOUS, R.OFFSET_CONTIGUOUS}
    assert done.code == 1
    assert R.ISOLATION_CANARY in done.failing
    assert done.failing <= {R.ISOLATION_CANARY} | may
    assert found(done, R.ISOLATION_ENVELOPE) >= struck
    (verdict,) = (verdict for verdict in done.report.verdicts if verdict.rule == R.ISOLATION_CANARY)
    assert all(finding.user and finding.other != finding.user for finding in verdict.findings)


def test_a_stall_that_outlasts_the_deadline_is_a_silence_too(streamgauge: Run, tmp_path: Path) -> None:
    done, struck = committed(streamgauge, tmp_path, "silence:0.5:700ms", SHORT_DEADLINE)
    assert (done.code, done.failing) == (1, {R.NO_SILENCE, R.COMPLETE})
    assert found(done, R.COMPLETE) == struck
    assert 0 < found(done, R.NO_SILENCE) <= struck  # a user may be gone before the silence ends


def test_a_stamp_from_the_future_leaves_all_in_doubt(streamgauge: Run, tmp_path: Path) -> None:
    done, struck = committed(streamgauge, tmp_path, "clock-lie:0.5:5s")
    assert (done.code, done.failing) == (3, set())
    assert done.report.outcome == Outcome.UNKNOWN
    (doubt,) = (doubt for doubt in done.report.doubts if doubt.name == "clock")
    said = rf"{struck} events arrived before they were emitted, the smallest lie by at least [\d,]+ µs"
    assert re.fullmatch(said, doubt.value)
    assert re.fullmatch(r"0; more than [\d,]+ µs further ahead would show", doubt.limit)
    again = json.loads(streamgauge("check", str(done.folder), "--json").out)
    assert (doubt.value, doubt.limit) in [(one["value"], one["limit"]) for one in again["doubts"]]
