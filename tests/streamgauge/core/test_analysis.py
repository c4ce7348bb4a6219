from collections import Counter
from collections.abc import Callable, Collection
from functools import reduce
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streamgauge.core import analysis as analysis_module
from streamgauge.core.analysis import Analysis, AnalysisState
from streamgauge.core.checks import fold as fold_module
from streamgauge.core.checks import judge as judge_module
from streamgauge.core.checks.judge import Judgement, judge
from streamgauge.core.checks.verdicts import conclude
from streamgauge.core.contract import EVERY_RULE, Limits, Rule
from streamgauge.core.event import Kind
from streamgauge.core.history import History
from streamgauge.core.limit import run_limit
from streamgauge.core.metrics.goodput import GoodputState
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.metrics.streams import CHUNK_GAP
from streamgauge.core.observation import Closed, Observation, Received, Stretch
from streamgauge.core.recording import End, Header, Recording, block
from streamgauge.core.stretch import unfolded
from tests.support.damage import asked_again, belated, damaged, hurried
from tests.support.generated import (
    START,
    doubled,
    dropped,
    greeted,
    misdirected,
    on_two_machines,
    recording,
    swapped_neighbours,
)
from tests.support.history import (
    CLOCK,
    LIMITS,
    SECOND,
    accepted,
    canary,
    completed,
    failed,
    heard,
    idea,
    lost,
    run,
    session,
    started,
    thought,
    whole,
)
from tests.support.stretches import read_together, stretched

R = Rule
UNTIL = START + 30 * SECOND  # before any deadline: who has not left is stopped in mid-run
GOALS = tuple(map(run_limit, ("run < 60ms", "gap_max <= 12ms", "chunk_gap_max < 15ms")))
TIGHT = replace(LIMITS, stall_ns=10_000_000, goodput=GOALS)  # some runs keep them, some do not
ACCEPTANCE = accepted().event
Mutation = Callable[[list[Observation], Random], list[Observation]]

seeds = st.integers(0, 10**6)
recordings = st.builds(recording, st.integers(1, 3), st.integers(1, 4), seeds)
among_users = st.builds(recording, st.integers(2, 3), st.integers(1, 4), seeds)


def analysed(
    rows: list[Observation], limits: Limits = TIGHT, promises: Collection[Rule] = EVERY_RULE
) -> AnalysisState:
    analysis = Analysis(limits, CLOCK, START, promises)
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


@pytest.mark.parametrize("users", [("ann", "ann"), ("ann", "ben")])
@pytest.mark.parametrize("first", [1, 2])
def test_an_event_is_late_where_its_run_was_settled_wherever_else_it_was(
    users: tuple[str, str], first: int
) -> None:
    """One run id at two sockets, where users choose their own, or a server repeats itself."""
    rows = [
        row
        for conn, user in enumerate(users, 1)
        for row in session(run(*whole(), user=user, conn=conn), leaves=False)
    ]
    delay = {conn: 0 if conn == first else 3 for conn in (1, 2)}
    rows = [replace(row, at_ns=row.at_ns + delay[row.conn] * SECOND) for row in rows]
    late: list[Observation] = [
        replace(row, at_ns=20 * SECOND)
        for row in rows
        if isinstance(row, Received) and row.event.kind == Kind.PARTIAL
    ]
    rows = sorted(rows, key=lambda row: row.at_ns) + late[::2]
    apart = [analysed([row for row in rows if row.conn == conn]) for conn in (1, 2)]
    assert unordered(merged(apart)) == unordered(analysed(rows))
    assert [stray.late for stray in analysed(rows).checks.strays] == [True, True]


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


def looked_at_one_by_one(
    rows: list[Observation], limits: Limits = TIGHT, promises: Collection[Rule] = EVERY_RULE
) -> AnalysisState:
    """The same without any short way: every row is shown to all that may ask something of it."""
    analysis = Analysis(limits, CLOCK, START, promises)
    for row in rows:
        analysis._look_at(row)
    return analysis.finish(UNTIL)


@given(recordings, seeds)
@settings(deadline=None, max_examples=100)
def test_what_a_reader_gathers_are_the_rows_that_there_were(rows: list[Observation], seed: int) -> None:
    rng = Random(seed)
    rows = read_together(damaged(rows, rng), rng, START)
    assert list(unfolded(stretched(rows, rng))) == rows


@given(among_users, seeds)
@settings(deadline=None, max_examples=300)
def test_a_stretch_says_what_its_rows_say(rows: list[Observation], seed: int) -> None:
    rng = Random(seed)
    rows = read_together(damaged(rows, rng), rng, START)
    alone = unordered(looked_at_one_by_one(rows))
    assert unordered(analysed(rows)) == alone
    assert unordered(analysed(stretched(rows, rng))) == alone


@given(among_users, seeds, st.booleans(), st.booleans(), st.sampled_from([None, *Rule]))
@settings(deadline=None, max_examples=200)
def test_whatever_its_protocol_promises(
    rows: list[Observation], seed: int, greets: bool, accepts: bool, unpromised: Rule | None
) -> None:
    rng = Random(seed)
    rows = greeted(on_two_machines(damaged(rows, rng), rng), rng)
    rows = read_together(rows, rng, START)
    limits, promises = replace(TIGHT, greets=greets, accepts=accepts), EVERY_RULE - {unpromised}
    alone = unordered(looked_at_one_by_one(rows, limits, promises))
    assert unordered(analysed(stretched(rows, rng), limits, promises)) == alone


@given(among_users, seeds, st.integers(1, 4))
@settings(deadline=None, max_examples=100)
def test_several_processes_know_together_what_one_would_of_stretches(
    rows: list[Observation], seed: int, parts: int
) -> None:
    rng = Random(seed)
    rows = stretched(read_together(damaged(rows, rng), rng, START), rng)
    apart = [analysed(part) for part in by_connection(rows, parts, rng)]
    assert unordered(merged(apart)) == unordered(analysed(rows))


@given(among_users, seeds, st.integers(1, 50))
@settings(deadline=None, max_examples=40)
def test_a_recording_keeps_its_stretches(rows: list[Observation], seed: int, size: int) -> None:
    rng = Random(seed)
    rows = stretched(read_together(damaged(rows, rng), rng, START), rng)
    blocks = [rows[at : at + size] for at in range(0, len(rows), size)]
    header = Header("w", "native", CLOCK, START, TIGHT, (), "plan")
    data = block(header) + b"".join(map(block, blocks)) + block(End(UNTIL))
    again = Recording.of(data)
    assert again.rows == rows
    assert analysed(again.rows) == analysed(rows)


def emitted(row: Observation) -> Observation:
    """The row with a stamp of its server, where it is an event of a run."""
    if not isinstance(row, Received) or not row.event.seq:
        return row
    return replace(row, event=replace(row.event, emitted_ns=row.at_ns))


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(heard(replace(ACCEPTANCE, user="eve")), id="of another user"),
        pytest.param(heard(replace(ACCEPTANCE, user="ann")), id="of one's own"),
        pytest.param(heard(replace(ACCEPTANCE, offset=1)), id="numbered"),
        pytest.param(heard(replace(ACCEPTANCE, offset=7)), id="numbered wrongly"),
        pytest.param(heard(replace(ACCEPTANCE, breach="odd")), id="in breach"),
        pytest.param(heard(ACCEPTANCE, foreign=canary("eve")), id="with a canary"),
        pytest.param(heard(replace(ACCEPTANCE, request="q9")), id="of what was not asked"),
        pytest.param(heard(ACCEPTANCE, conn=9), id="on no connection"),
        pytest.param(heard(ACCEPTANCE, at=61), id="too late"),
    ],
)
def test_an_odd_acceptance_is_looked_at(odd: Received) -> None:
    rows = session(run(*whole()))
    rows[2] = odd
    rows = [
        replace(row, at_ns=max(row.at_ns, odd.at_ns if place > 1 else 0)) for place, row in enumerate(rows)
    ]
    assert unordered(analysed(rows)) == unordered(looked_at_one_by_one(rows))


def test_the_properties_above_are_about_the_short_ways() -> None:
    looked: list[str] = []

    class Watched(Analysis):
        def _look_at(self, row: Observation) -> None:
            looked.append(type(row).__name__)
            super()._look_at(row)

    def looks(rows: list[Observation]) -> list[str]:
        looked.clear()
        analysis = Watched(LIMITS, CLOCK, 0)
        for row in rows:
            analysis.add(row)
        return list(looked)

    rows = session(run(*whole()), run(started(), failed(), name="r2", request="q2"))
    rows = [emitted(row) for row in rows if not isinstance(row, Closed)]
    short = stretched(read_together(rows, Random(1), 0), Random(1))
    assert sum(isinstance(row, Stretch) for row in short) >= 2
    assert looks(short) == ["Opened", "Received"]  # an error is no plain end
    assert looks(rows).count("Received") == 12


def test_the_properties_above_are_about_many_stretches_of_many_events() -> None:
    lengths: list[int] = []
    for seed in range(40):
        rng = Random(seed)
        rows = stretched(read_together(recording(3, 4, seed), rng, START), rng)
        lengths += [len(row.forms) for row in rows if isinstance(row, Stretch)]
        lengths += [0 for row in rows if isinstance(row, Stretch) and row.accepted]
    assert lengths.count(0) > 20
    assert sum(length > 3 for length in lengths) > 100


# Runs are settled together, a little late, and nobody sees it

HASTY = replace(TIGHT, grace_ns=20_000_000)


def settled_every(every_ns: int, rows: list[Observation]) -> AnalysisState:
    """The state where due runs wait so long to be settled together."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(analysis_module, "_SETTLES_EVERY_NS", every_ns)
        analysis = Analysis(HASTY, CLOCK, START)
        for row in rows:
            analysis.add(row)
        return analysis.finish(UNTIL)


@given(among_users, seeds)
@settings(deadline=None, max_examples=400)
def test_when_runs_are_settled_is_not_seen(rows: list[Observation], seed: int) -> None:
    rng = Random(seed)
    rows = belated(damaged(rows, rng), rng)
    if rng.random() < 0.7:
        rows = read_together(rows, rng, START)
    rows = stretched(asked_again(hurried(rows, rng), rng), rng)
    at_once = unordered(settled_every(0, rows))
    assert unordered(settled_every(10 * SECOND, rows)) == at_once
    assert unordered(settled_every(50_000_000, rows)) == at_once


def test_the_property_above_is_about_runs_that_are_settled_in_many_ways() -> None:
    counts: Counter[str] = Counter()
    late = strays = 0
    for seed in range(60):
        rng = Random(seed)
        rows = belated(damaged(recording(3, 4, seed), rng), rng)
        state = settled_every(0, stretched(hurried(rows, rng), rng))
        counts.update(state.counts)
        late += sum(stray.late for stray in state.checks.strays)
        strays += len(state.checks.strays)
    assert counts["runs never settled"] > 20
    assert counts["runs completed"] > 50
    assert 10 < late < strays


@given(recordings, seeds)
@settings(deadline=None, max_examples=100)
def test_what_is_remembered_of_a_form_is_what_would_be_found_again(
    rows: list[Observation], seed: int
) -> None:
    rng = Random(seed)
    rows = stretched(read_together(damaged(rows, rng), rng, START), rng)
    judged: list[tuple[History, Judgement]] = []

    def noted(history: History, limits: Limits, promises: Collection[Rule]) -> Judgement:
        judgement = judge(history, limits, promises)
        judged.append((history, judgement))
        return judgement

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fold_module, "judge", noted)
        analysed(rows)
    for history, judgement in judged:
        history.unfold()
        again = judge_module._judge_by(history, TIGHT, EVERY_RULE)
        assert msgspec.structs.astuple(judgement) == msgspec.structs.astuple(again)


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
