from collections.abc import Callable
from typing import Any

import pytest

from streamgauge.core.checks.extent import Losses
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Finding, Struck
from streamgauge.core.interval import exact_interval, zero_upper_bound
from streamgauge.report.model import LOSS, Report

Make = Callable[..., Report]
Gap = Callable[..., Finding]


def bounds(report: Report, what: str) -> list[tuple[str, int, int]]:
    return [(bound.unit, bound.hits, bound.n) for bound in report.bounds if bound.what == what]


ISOLATION = [Rule.ISOLATION_CANARY, Rule.ISOLATION_ENVELOPE]


@pytest.mark.parametrize("rule", ISOLATION)
def test_where_no_leak_was_seen_its_rate_is_bounded(make: Make, rule: Rule) -> None:
    report = make()
    assert bounds(report, rule) == [("message", 0, 12_000), ("run", 0, 1_000), ("connection", 0, 100)]
    assert [(b.lower, b.upper) for b in report.bounds] == [(0, zero_upper_bound(b.n)) for b in report.bounds]


def test_where_no_loss_was_seen_its_rate_is_bounded(make: Make) -> None:
    assert bounds(make(), LOSS) == [("event", 0, 12_000), ("run", 0, 1_000), ("connection", 0, 100)]


@pytest.mark.parametrize("rule", ISOLATION)
def test_where_one_was_seen_its_rate_has_an_interval(make: Make, rule: Rule) -> None:
    report = make(Finding(rule, "leak", "u1", 1, 0), struck={rule: Struck(3, 2, 1)})
    assert bounds(report, rule) == [("message", 3, 12_000), ("run", 2, 1_000), ("connection", 1, 100)]
    of_connections = next(b for b in report.bounds if b.what == rule and b.unit == "connection")
    assert (of_connections.lower, of_connections.upper) == exact_interval(1, 100)


def run_bound(report: Report, what: str) -> list[tuple[int, int, int, float, float]]:
    bounds = [bound for bound in report.bounds if (bound.what, bound.unit) == (what, "run")]
    return [(bound.hits, bound.more, bound.n, bound.lower, bound.upper) for bound in bounds]


def test_runs_that_may_have_leaked_are_in_the_upper_end_alone(make: Make) -> None:
    def of(runs: int, more: int) -> list[tuple[int, int, int, float, float]]:
        return run_bound(
            make(struck={Rule.ISOLATION_CANARY: Struck(9, runs, 1, more)}), Rule.ISOLATION_CANARY
        )

    (low, high), (_, higher) = exact_interval(2, 1_000), exact_interval(9, 1_000)
    assert of(2, 0) == [(2, 0, 1_000, low, high)]
    assert of(2, 7) == [(2, 7, 1_000, low, higher)]
    assert of(0, 9) == [(0, 9, 1_000, 0, higher)]
    assert of(2, 5_000) == [(2, 5_000, 1_000, low, 1)]


def test_every_run_that_was_not_refused_may_leak_but_nothing_shows_of_one_of_which_nothing_came(
    make: Make,
) -> None:
    few: dict[str, Any] = {"exercised": {Rule.ECHO: 0}, "counts": {"runs refused": 5, "runs abandoned": 2}}
    assert run_bound(make(**few), Rule.ISOLATION_CANARY) == []
    leaking = make(**few, struck={Rule.ISOLATION_CANARY: Struck(2_000, 1_000, 1)})
    assert run_bound(leaking, Rule.ISOLATION_CANARY)[0][:3] == (1_000, 0, 1_002)


def test_what_is_counted_more_often_than_there_was_of_it_has_no_rate(make: Make, gap: Gap) -> None:
    report = make(gap(), struck={Rule.SEQ_CONTIGUOUS: Struck(runs=1_001, connections=100)})
    assert bounds(report, Rule.SEQ_CONTIGUOUS) == [("connection", 100, 100)]


def test_any_other_rule_has_an_interval_where_it_was_broken(make: Make, gap: Gap) -> None:
    report = make(gap(), struck={Rule.SEQ_CONTIGUOUS: Struck(runs=2, connections=1)})
    assert bounds(report, Rule.SEQ_CONTIGUOUS) == [("run", 2, 1_000), ("connection", 1, 100)]
    assert bounds(report, Rule.ECHO) == []


def test_what_was_lost_is_among_what_there_was(make: Make) -> None:
    lost = Losses(gaps=3, gap_runs=1, tails=1, runs=2, connections=2)
    assert bounds(make(losses=lost), LOSS) == [
        ("event", 4, 12_004),
        ("run", 2, 1_000),
        ("connection", 2, 100),
    ]


def test_where_nobody_looked_there_is_no_bound(make: Make) -> None:
    report = make(exercised=dict.fromkeys([*ISOLATION, Rule.SEQ_CONTIGUOUS, Rule.COMPLETE], 0))
    assert report.bounds == ()
