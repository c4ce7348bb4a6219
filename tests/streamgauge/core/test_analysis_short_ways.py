"""The short ways that nearly all rows go, held against the long one."""

from collections import Counter
from collections.abc import Collection
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streamgauge.checker import check_rows
from streamgauge.core import analysis as analysis_module
from streamgauge.core.analysis import Analysis, AnalysisState
from streamgauge.core.checks import fold as fold_module
from streamgauge.core.checks import judge as judge_module
from streamgauge.core.checks.judge import Judgement, judge
from streamgauge.core.contract import EVERY_RULE, Limits, Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.history import History
from streamgauge.core.observation import Asked, Closed, Observation, Received, Stretch
from streamgauge.core.recording import End, Header, Recording, block
from streamgauge.core.stretch import unfolded
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
from tests.support.damage import asked_again, belated, damaged, hurried, unscripted
from tests.support.generated import (
    START,
    greeted,
    on_two_machines,
    recording,
)
from tests.support.history import (
    CLOCK,
    LIMITS,
    SECOND,
    accepted,
    canary,
    failed,
    heard,
    opened,
    run,
    session,
    started,
    whole,
)
from tests.support.stretches import gathered, read_together, stretched

ACCEPTANCE = accepted().event


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


def test_an_event_that_came_before_its_run_was_accepted_explains_no_less_after_a_stretch() -> None:
    told = run(*whole())

    def event(seq: int, offset: int) -> Received:
        one = told.events[seq - 1]
        return replace(one, at_ns=START, event=replace(one.event, seq=seq, offset=offset, emitted_ns=START))

    before: list[Observation] = [
        replace(opened(), at_ns=START),
        replace(told.asked, at_ns=START, deadline_ns=UNTIL),
        event(5, 1),  # nobody's yet
        replace(accepted(), at_ns=START),
    ]
    plain = [event(1, 2), event(2, 3), event(3, 4)]
    after = event(4, 3)  # an offset that was there already: its seq, below the highest, says so
    alone = unordered(looked_at_one_by_one([*before, *plain, after]))
    assert unordered(analysed([*before, gathered(plain), after])) == alone


@given(among_users, seeds)
@settings(deadline=None, max_examples=300)
def test_a_stretch_says_what_its_rows_say(rows: list[Observation], seed: int) -> None:
    rng = Random(seed)
    rows = read_together(damaged(rows, rng), rng, START)
    alone = unordered(looked_at_one_by_one(rows))
    assert unordered(analysed(rows)) == alone
    assert unordered(analysed(stretched(rows, rng))) == alone


@given(among_users, seeds, st.booleans(), st.booleans(), st.none() | st.sampled_from(Rule))
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


def test_a_stretch_before_the_greeting_is_looked_at() -> None:
    told = run(*whole())
    read = [replace(row, at_ns=SECOND, event=replace(row.event, emitted_ns=SECOND)) for row in told.events]
    limits = replace(LIMITS, greets=True)
    rows: list[Observation] = [opened(), told.asked, gathered([replace(accepted(), at_ns=SECOND), *read])]
    (finding,) = check_rows(rows, limits).findings
    assert finding.problem == "a message before the greeting"
    assert check_rows([rows[0], heard(Event(Kind.GREETING)), *rows[1:]], limits).findings == ()


def test_what_came_in_a_stretch_was_no_silence_after_the_deadline_either() -> None:
    told = run(*whole(), deadline=12)
    read = [
        replace(row, at_ns=9 * SECOND, event=replace(row.event, emitted_ns=SECOND)) for row in told.events[:3]
    ]
    late = replace(told.events[3], at_ns=13 * SECOND)
    found = check_rows([opened(), told.asked, accepted(), gathered(read), late], LIMITS).findings
    assert [finding.problem for finding in found] == ["never ended"]


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


def of_known_forms(rows: list[Observation], rng: Random) -> list[Observation]:
    """Some of the runs are asked by other scripts, and what else a form can come to is known before."""
    rows = stretched(read_together(rows, rng, START), rng)
    analysed([replace(row, makes=None) if isinstance(row, Asked) else row for row in rows])
    for _ in range(rng.randint(0, 4)):
        rows = unscripted(rows, rng)
    return rows


@given(among_users, seeds)
@settings(deadline=None, max_examples=150)
def test_a_known_form_is_held_against_the_script_of_each_run(rows: list[Observation], seed: int) -> None:
    rows = of_known_forms(rows, Random(seed))
    assert unordered(analysed(rows)) == unordered(looked_at_one_by_one(list(unfolded(rows))))


def test_the_property_above_is_about_all_that_a_script_makes() -> None:
    found: Counter[str] = Counter()
    for seed in range(200):
        checks = analysed(of_known_forms(recording(3, 4, seed), Random(seed))).checks
        found.update(finding.problem for kept in checks.findings.values() for finding in kept)
    assert len(found) == 3
    assert min(found.values()) > 10, found
