from collections.abc import Callable

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
