from collections.abc import Callable
from functools import reduce
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streamgauge.core.analysis import Analysis, AnalysisState
from streamgauge.core.assembly import Assembler
from streamgauge.core.checks import judge as judge_module
from streamgauge.core.checks.judge import judge
from streamgauge.core.checks.verdicts import conclude
from streamgauge.core.contract import EVERY_RULE, Rule
from streamgauge.core.limit import run_limit
from streamgauge.core.metrics.goodput import GoodputState
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.metrics.streams import CHUNK_GAP
from streamgauge.core.observation import Observation, Received
from streamgauge.core.recording import End, Header, Recording, block
from tests.support.generated import START, doubled, dropped, misdirected, recording, swapped_neighbours
from tests.support.history import (
    CLOCK,
    LIMITS,
    SECOND,
    completed,
    failed,
    idea,
    lost,
    run,
    session,
    started,
    thought,
    whole,
)

R = Rule
UNTIL = START + 30 * SECOND  # before any deadline: who has not left is stopped in mid-run
GOALS = tuple(map(run_limit, ("run < 60ms", "gap_max <= 12ms", "chunk_gap_max < 15ms")))
TIGHT = replace(LIMITS, stall_ns=10_000_000, goodput=GOALS)  # some runs keep them, some do not
Mutation = Callable[[list[Observation], Random], list[Observation]]

seeds = st.integers(0, 10**6)
recordings = st.builds(recording, st.integers(1, 3), st.integers(1, 4), seeds)
among_users = st.builds(recording, st.integers(2, 3), st.integers(1, 4), seeds)


def analysed(rows: list[Observation]) -> AnalysisState:
    analysis = Analysis(TIGHT, CLOCK, START)
    for row in rows:
        analysis.add(row)
    return analysis.finish(UNTIL)


def failing(state: AnalysisState) -> set[Rule]:
    return {verdict.rule for verdict in conclude(state.checks, ()) if verdict.found}


def unordered(state: AnalysisState) -> Any:
    """The state as plain data, without the order in which things were found."""
    plain = msgspec.to_builtins(state)
    plain["checks"]["strays"].sort(key=str)
    for found in plain["checks"]["findings"].values():
        found.sort(key=str)
    return plain


def merged(states: list[AnalysisState]) -> AnalysisState:
    return reduce(AnalysisState.merge, states)


def by_connection(rows: list[Observation], parts: int, rng: Random) -> list[list[Observation]]:
    """The rows as several processes would have seen them, every connection in one of them."""
    share = {row.conn: rng.randrange(parts) for row in rows}
    return [[row for row in rows if share[row.conn] == part] for part in range(parts)]


def damaged(rows: list[Observation], rng: Random) -> list[Observation]:
    """Several faults at once, the worst there are."""
    for _ in range(rng.randint(0, 4)):
        mutate = rng.choice([doubled, swapped_neighbours, misdirected, renamed])
        try:
            rows = mutate(rows, rng)
        except IndexError:  # there is no such place in it
            continue
    return rows


def renamed(rows: list[Observation], rng: Random) -> list[Observation]:
    """One run's id becomes another's."""
    runs = [row.event.run for row in rows if isinstance(row, Received)]
    one, other = rng.choice(runs), rng.choice(runs)
    return [
        replace(row, event=replace(row.event, run=other))
        if isinstance(row, Received) and row.event.run == one
        else row
        for row in rows
    ]


# What a correct server is found guilty of


@given(recordings)
@settings(deadline=None, max_examples=150)
def test_a_correct_recording_breaks_nothing(rows: list[Observation]) -> None:
    assert failing(analysed(rows)) == set()


# One fault is found, and nothing else is

NUMBERS = ({R.SEQ_CONTIGUOUS}, {R.OFFSET_CONTIGUOUS})
LEAK = (
    {R.ISOLATION_CANARY},
    {R.ISOLATION_ENVELOPE, R.STARTED_FIRST, R.SEQ_CONTIGUOUS, R.OFFSET_CONTIGUOUS},
)


@pytest.mark.parametrize(
    ("mutate", "must", "may"),
    [
        pytest.param(dropped, *NUMBERS, id="F09"),
        pytest.param(doubled, *NUMBERS, id="F16"),
        pytest.param(swapped_neighbours, *NUMBERS, id="F17"),
        pytest.param(misdirected, *LEAK, id="F08"),
    ],
)
@given(among_users, seeds)
@settings(deadline=None, max_examples=100)
def test_one_fault_breaks_its_rules_and_no_other(
    mutate: Mutation, must: set[Rule], may: set[Rule], rows: list[Observation], seed: int
) -> None:
    try:
        rows = mutate(rows, Random(seed))
    except IndexError:
        assume(False)  # no such place in this recording
    found = failing(analysed(rows))
    assert must <= found <= must | may


# The algebra


@given(among_users, seeds, st.integers(1, 4))
@settings(deadline=None, max_examples=100)
def test_several_processes_know_together_what_one_would(
    rows: list[Observation], seed: int, parts: int
) -> None:
    rng = Random(seed)
    rows = damaged(rows, rng)
    apart = [analysed(part) for part in by_connection(rows, parts, rng)]
    together = analysed(rows)
    assert unordered(merged(apart)) == unordered(together)
    assert failing(merged(apart)) == failing(together)


@given(among_users, seeds)
@settings(deadline=None, max_examples=60)
def test_merging_is_associative_and_commutative(rows: list[Observation], seed: int) -> None:
    rng = Random(seed)
    a, b, c = (analysed(part) for part in by_connection(damaged(rows, rng), 3, rng))
    assert unordered(a.merge(b)) == unordered(b.merge(a))
    assert unordered(a.merge(b).merge(c)) == unordered(a.merge(b.merge(c)))


@given(recordings)
@settings(deadline=None, max_examples=20)
def test_a_process_that_saw_nothing_changes_nothing(rows: list[Observation]) -> None:
    state, nothing = analysed(rows), analysed([])
    assert unordered(state.merge(nothing)) == unordered(nothing.merge(state)) == unordered(state)


@given(among_users, seeds, st.integers(1, 50))
@settings(deadline=None, max_examples=40)
def test_a_recording_is_analysed_as_it_was_live(rows: list[Observation], seed: int, size: int) -> None:
    rows = damaged(rows, Random(seed))
    live = analysed(rows)
    header = Header("w", "native", CLOCK, START, TIGHT, (), "plan")
    blocks = [rows[at : at + size] for at in range(0, len(rows), size)]
    data = block(header) + b"".join(map(block, blocks)) + block(End(UNTIL))
    again = Recording.of(data)
    assert again.header.limits == TIGHT
    assert analysed(again.rows) == live


# Plain events are taken together, and nothing comes of it that would not come of looking at each


def read_by_read(rows: list[Observation], rng: Random) -> list[list[Observation]]:
    """The rows as they would have been read together: of one connection, in one moment, with one stamp."""
    reads: list[list[Observation]] = []
    for row in sorted(rows, key=lambda row: (row.at_ns // (SECOND // 10), row.conn)):
        together = reads and reads[-1][0].conn == row.conn and rng.random() < 0.7
        if together and isinstance(row, Received) and isinstance(reads[-1][0], Received):
            reads[-1].append(row)
        else:
            reads.append([row])
    return [read_at(START + number * SECOND // 1000, read, rng) for number, read in enumerate(reads)]


def read_at(now_ns: int, rows: list[Observation], rng: Random) -> list[Observation]:
    kernel_ns = rng.choice([0, now_ns - 1000])
    return [
        replace(row, at_ns=now_ns, kernel_ns=kernel_ns, exact=kernel_ns > 0 and place == len(rows) - 1)
        if isinstance(row, Received)
        else replace(row, at_ns=now_ns)
        for place, row in enumerate(rows)
    ]


def looked_at_one_by_one(rows: list[Observation]) -> AnalysisState:
    """The same without the short way: every row is shown to all that may ask something of it."""
    analysis = Analysis(TIGHT, CLOCK, START)
    for row in rows:
        analysis._look_at(row)
    return analysis.finish(UNTIL)


@given(recordings, seeds)
@settings(deadline=None, max_examples=150)
def test_the_short_way_of_plain_events_leads_to_the_same_state(rows: list[Observation], seed: int) -> None:
    rng = Random(seed)
    reads = read_by_read(damaged(rows, rng), rng)
    analysis = Analysis(TIGHT, CLOCK, START)
    for read in reads:
        analysis.read(read)
    assert analysis.finish(UNTIL) == looked_at_one_by_one([row for read in reads for row in read])


def test_the_property_above_is_about_the_short_way() -> None:
    looked: list[str] = []

    class Watched(Analysis):
        def _look_at(self, row: Observation) -> None:
            looked.append(type(row).__name__)
            super()._look_at(row)

    analysis = Watched(LIMITS, CLOCK, 0)
    for row in session(run(*whole()), run(started(), failed(), name="r2", request="q2")):
        analysis.add(row)
    acceptance = "Received"
    assert looked == ["Opened", "Asked", acceptance, "Asked", acceptance, "Closed"]


@given(recordings, seeds)
@settings(deadline=None, max_examples=100)
def test_what_is_remembered_of_a_shape_is_what_would_be_found_again(
    rows: list[Observation], seed: int
) -> None:
    assembler = Assembler(LIMITS)
    settled = [history for row in damaged(rows, Random(seed)) for history in assembler.add(row)]
    for history in settled + assembler.finish(UNTIL):
        again = judge_module._judge_by(history, LIMITS, EVERY_RULE)
        assert msgspec.structs.astuple(judge(history, LIMITS)) == msgspec.structs.astuple(again)


# What it tells on the way


def test_findings_and_counts_are_known_at_any_time() -> None:
    analysis = Analysis(LIMITS, CLOCK, 0)
    assert analysis.findings == 0
    assert not any(analysis.counts().values())
    for row in session(run(started(), lost(thought(1)), thought(2), failed())):
        analysis.add(row)
    assert (analysis.findings, analysis.counts()["events"], analysis.counts()["events lost"]) == (1, 3, 1)
    assert (analysis.leaks, analysis.stalled) == (0, 0)


def test_the_state_holds_checks_metrics_and_the_time_it_took() -> None:
    state = analysed(session(run(*whole())))
    assert (state.began_ns, state.ended_ns) == (START, UNTIL)
    assert (state.counts["events"], state.counts["runs completed"], state.seconds) == (10, 1, {0: 10})
    assert state.latencies[Metric.RUN].n == 1
    assert state.checks.exercised[R.ECHO] == 1
    assert (state.counts["events numbered"], state.counts["events lost"]) == (10, 0)
    assert (state.streams.streams, state.latencies[CHUNK_GAP].n) == (1, 1)
    assert state.goodput == GoodputState(
        1, 0, beyond={"run < 60ms": 1, "gap_max <= 12ms": 0, "chunk_gap_max < 15ms": 0}
    )


def test_a_run_that_broke_a_rule_is_not_good() -> None:
    state = analysed(session(run(*whole()[:-1], lost(idea()), completed("sum", "sum"))))
    assert (state.goodput.of, state.goodput.broken) == (1, 1)
    assert analysed(session(run(*whole()))).goodput.broken == 0


def test_the_property_above_is_about_good_runs_and_bad_ones() -> None:
    states = [analysed(recording(3, 4, seed)).goodput for seed in range(40)]
    assert 0 < sum(state.good for state in states) < sum(state.of for state in states)


def test_merged_states_span_both() -> None:
    one, two = Analysis(LIMITS, CLOCK, 5).finish(7), Analysis(LIMITS, CLOCK, 2).finish(6)
    assert (one.merge(two).began_ns, one.merge(two).ended_ns) == (2, 7)


def test_what_arrived_before_it_was_emitted_is_counted() -> None:
    rows = [
        replace(row, event=replace(row.event, emitted_ns=row.at_ns + 1)) if isinstance(row, Received) else row
        for row in session(run(*whole()))
    ]
    state = analysed(rows)
    assert state.counts["deliveries before their emission"] == 10
    assert state.merge(state).counts["deliveries before their emission"] == 20
    assert "deliveries before their emission" not in analysed(session(run(*whole()))).counts
