import pytest
from msgspec.structs import replace

from streamgauge.core.analysis import Analysis, AnalysisState
from streamgauge.core.checks.verdicts import conclude
from streamgauge.core.contract import EVERY_RULE, Limits, Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.finding import LATENCY, VERDICT, Doubt
from streamgauge.core.history import History
from streamgauge.core.limit import run_limit
from streamgauge.core.measured import (
    CHUNK_RATE,
    DURATIONS,
    FIGURES,
    RATES,
    SHARES,
    Figure,
    Measured,
    Ratio,
    measured,
)
from streamgauge.core.memory import Series
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.metrics.streams import CHUNK_GAP
from streamgauge.core.observation import Closed, Malformed, Observation, Unsent
from tests.support.history import (
    CLOCK,
    LIMITS,
    SECOND,
    canary,
    failed,
    heard,
    lost,
    part,
    run,
    session,
    started,
    swapped,
    thought,
    twice,
    wait,
    whole,
)

BEGUN = (started(), thought(1), thought(2))
LAGGING = Doubt("generator lag", "1 s", "100 ms", "", LATENCY)
DEAD = Doubt("workers missing", "1", "0", "", VERDICT)
ODD = Doubt("odd", "1", "0", "", "")


def state_of(*rows: Observation, limits: Limits = LIMITS) -> AnalysisState:
    """What is known of these rows after ten seconds."""
    analysis = Analysis(limits, CLOCK, 0)
    for row in rows:
        analysis.add(row)
    return analysis.finish(10 * SECOND)


def of(state: AnalysisState, *doubts: Doubt, promises: frozenset[Rule] = EVERY_RULE) -> Measured:
    return measured(state, conclude(state.checks, (), promises), doubts)


def ratio(name: str, *runs: History, more: tuple[Observation, ...] = ()) -> Ratio:
    rows = [*session(*runs, leaves=False), *more]
    return of(state_of(*rows)).ratios[name]


def test_every_metric_has_a_short_name() -> None:
    assert sorted(DURATIONS.values()) == sorted([*Metric, CHUNK_GAP])


def test_all_that_has_a_name_is_measured() -> None:
    known = of(state_of(*session(run(*whole()))))
    assert set(known.durations) == set(DURATIONS)
    assert set(known.ratios) == {*RATES, *SHARES}
    assert set(known.figures) == set(FIGURES)


def test_durations_and_chunk_rates_are_those_of_the_folds() -> None:
    state = state_of(*session(run(*whole())))
    known = of(state)
    assert known.durations["run"] is state.latencies[Metric.RUN]
    assert known.durations["chunk_gap"] is state.latencies[CHUNK_GAP]
    assert known.chunk_rate is state.streams.rates
    assert known.chunk_rate.n == known.durations["chunk_gap"].n == known.durations["run"].n == 1


def test_figures_are_over_the_whole_time() -> None:
    runs = run(*whole()), run(*BEGUN, failed(), name="r2", request="q2")
    assert of(state_of(*session(*runs))).figures == {
        "goodput": Figure(0.1, 2),
        "events_per_s": Figure(1.4, 14),
        "runs_per_s": Figure(0.2, 2),
    }


def test_in_no_time_there_is_no_figure() -> None:
    state = replace(state_of(), ended_ns=0)
    assert of(state).figures == {}


GOOD = run(*whole(), name="r9", request="q9")  # ten events


@pytest.mark.parametrize(
    ("name", "runs", "expected"),
    [
        ("lost", (GOOD, run(started(), lost(thought(1)), thought(2), failed())), Ratio(1, 14)),
        ("duplicates", (GOOD, run(*BEGUN, twice(failed()))), Ratio(1, 15)),
        ("lost", (run(*BEGUN, twice(failed())),), Ratio(0, 4)),  # a repeat is no event of its own
        ("reordered", (GOOD, run(started(), swapped(thought(1), thought(2)), failed())), Ratio(1, 14)),
        ("errors", (GOOD, run(*BEGUN, failed())), Ratio(1, 2)),
        ("errors", (GOOD, run(*BEGUN, failed("cancelled"), cancelled=True)), Ratio(0, 1)),
        ("stalls", (GOOD, run(*BEGUN, part(0), wait(2), part(1), wait(2), part(2), failed())), Ratio(1, 2)),
        ("leaks", (run(*BEGUN, failed()),), Ratio(0, 5)),  # four events, and that it was accepted
        ("goodput_share", (GOOD, run(*BEGUN, failed())), Ratio(1, 2)),
        ("full_sequence", (GOOD, run(*BEGUN, failed())), Ratio(1, 2)),
        ("thinking", (GOOD, run(*BEGUN, failed())), Ratio(1, 2)),
        ("delivery_success", (GOOD, run(*BEGUN, failed())), Ratio(1, 2)),
    ],
)
def test_rates_and_shares_of_runs(name: str, runs: tuple[History, ...], expected: Ratio) -> None:
    assert ratio(name, *runs) == expected


REFUSED = (
    replace(GOOD.asked, request="q2", at_ns=SECOND, deadline_ns=60 * SECOND),
    heard(Event(Kind.REFUSED, request="q2"), at=1),
)


@pytest.mark.parametrize(
    ("name", "more", "expected"),
    [
        ("leaks", (heard(Event(Kind.OTHER), at=1, foreign="sgcanaryx"),), Ratio(1, 12)),
        ("leaks", (heard(Event(Kind.OTHER, user="ben"), at=1, foreign=canary("ben")),), Ratio(1, 12)),
        ("malformed", (Malformed(1, SECOND, 5, "no JSON"),), Ratio(1, 12)),
        ("refused", REFUSED, Ratio(1, 2)),
        ("abandoned", (*REFUSED[:1], Closed(1, SECOND, 1006, ours=False)), Ratio(1, 2)),
        ("unsent", (Unsent(1, SECOND, SECOND, "busy"),), Ratio(1, 2)),
    ],
)
def test_rates_of_rows(name: str, more: tuple[Observation, ...], expected: Ratio) -> None:
    assert ratio(name, GOOD, more=more) == expected


def test_nothing_seen_is_nothing_of_nothing() -> None:
    assert set(of(state_of()).ratios.values()) == {Ratio(0, 0)}


def test_what_the_protocol_does_not_promise_is_not_measured() -> None:
    state = state_of(*session(run(*whole())))
    assert "thinking" not in of(state, promises=EVERY_RULE - {Rule.THINKING_PRESENT}).ratios


# Doubts

TIMED = {*DURATIONS, CHUNK_RATE, "stalls"} - {"lag", "slip"}


def test_without_a_doubt_nothing_is_void() -> None:
    known = of(state_of(), ODD)
    assert (known.void, known.holes) == ({}, "")


def test_a_doubt_about_latency_voids_what_is_timed_but_for_the_generators_own() -> None:
    known = of(state_of(), ODD, LAGGING)
    assert known.void == dict.fromkeys(TIMED, "generator lag")
    assert known.holes == ""


def test_goodput_is_timed_where_it_has_limits() -> None:
    limits = replace(LIMITS, goodput=(run_limit("run < 1s"),))
    assert set(of(state_of(limits=limits), LAGGING).void) == TIMED | {"goodput", "goodput_share"}


def test_a_doubt_about_the_verdict_voids_all_but_what_was_counted() -> None:
    known = of(state_of(), LAGGING, DEAD)
    assert known.holes == "workers missing"
    assert known.void == dict.fromkeys(TIMED | {"lag", "slip", *FIGURES}, "workers missing")


def test_only_what_lies_between_two_clocks_is_known_so_well_and_no_better() -> None:
    state = replace(state_of(*session(run(*whole()))), clock_bound_ns=85_000)
    assert of(state).bounds == {"delivery": 85_000, "delivery_bound": 85_000}
    assert of(state_of(*session(run(*whole())))).bounds == {}


# Memory

MB = 1_000_000


def growing(name: str, *megabytes: int) -> Series:
    """Second by second."""
    return Series(name, tuple((n * 1_000_000_000, size * MB) for n, size in enumerate(megabytes)))


def sizes(*memory: Series) -> dict[str, int]:
    return {name: of.bytes for name, of in measured(state_of(), (), (), memory).sizes.items()}


def test_a_server_is_taken_at_its_peak_and_what_it_was_before_is_none_of_its_growth() -> None:
    assert sizes(growing("server", 40, 90, 60)) == {"server_memory": 90 * MB, "server_memory_growth": 50 * MB}


def test_of_several_workers_the_one_that_grew_most_counts() -> None:
    flat, grown = growing("worker-1", *[50] * 40), growing("worker-2", *range(100, 141))
    assert sizes(flat, grown) == {"worker_memory_growth": 30 * MB}
    assert sizes(growing("worker-1", 50, 60)) == {}  # too few looks
