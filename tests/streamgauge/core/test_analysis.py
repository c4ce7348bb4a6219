from collections.abc import Callable
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streamgauge.core.analysis import Analysis, AnalysisState
from streamgauge.core.checks.verdicts import conclude
from streamgauge.core.contract import Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.metrics.goodput import GoodputState
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.metrics.streams import CHUNK_GAP
from streamgauge.core.observation import Observation, Received
from streamgauge.core.recording import End, Header, Recording, block
from tests.support.analysed import (
    TIGHT,
    UNTIL,
    among_users,
    analysed,
    by_connection,
    merged,
    recordings,
    seeds,
    unordered,
)
from tests.support.damage import damaged
from tests.support.generated import (
    START,
    doubled,
    dropped,
    misdirected,
    recording,
    swapped_neighbours,
)
from tests.support.history import (
    CLOCK,
    LIMITS,
    SECOND,
    canary,
    completed,
    failed,
    heard,
    idea,
    lost,
    opened,
    run,
    session,
    started,
    thought,
    whole,
)

R = Rule
Mutation = Callable[[list[Observation], Random], list[Observation]]


def failing(state: AnalysisState) -> set[Rule]:
    return {verdict.rule for verdict in conclude(state.checks, ()) if verdict.found}


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


# What it tells on the way


def test_findings_and_counts_are_known_at_any_time() -> None:
    analysis = Analysis(LIMITS, CLOCK, 0)
    assert analysis.findings == 0
    assert not any(analysis.counts().values())
    for row in session(run(started(), lost(thought(1)), thought(2), failed())):
        analysis.add(row)
    assert (analysis.findings, analysis.counts()["events"], analysis.counts()["events lost"]) == (1, 3, 1)
    assert (analysis.leaks, analysis.stalled) == (0, 0)


def test_a_message_that_breaks_both_rules_of_isolation_is_one_leak() -> None:
    analysis = Analysis(LIMITS, CLOCK, 0)
    analysis.add(opened())
    analysis.add(heard(Event(Kind.OTHER, user="ben"), foreign=canary("ben")))
    assert (analysis.findings, analysis.leaks) == (2, 1)


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


def test_of_merged_states_the_smallest_lie_is_the_smallest_of_those_that_lie() -> None:
    honest = Analysis(LIMITS, CLOCK, 0).finish(1)
    small, large = replace(honest, least_ahead_ns=3), replace(honest, least_ahead_ns=8)
    assert [a.merge(b).least_ahead_ns for a, b in ((large, small), (honest, large), (honest, honest))] == [
        *(3, 8, 0)
    ]


def test_what_arrived_before_it_was_emitted_is_counted() -> None:
    rows = [
        replace(row, event=replace(row.event, emitted_ns=row.at_ns + 1)) if isinstance(row, Received) else row
        for row in session(run(*whole()))
    ]
    state = analysed(rows)
    assert state.counts["deliveries before their emission"] == 10
    assert state.merge(state).counts["deliveries before their emission"] == 20
    assert state.least_ahead_ns == 1
    assert "deliveries before their emission" not in analysed(session(run(*whole()))).counts
