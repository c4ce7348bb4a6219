from collections.abc import Callable

import pytest
from msgspec.structs import replace

from streamgauge.core.contract import Rule
from streamgauge.core.finding import Doubt, Finding, Witness
from streamgauge.core.metrics.latency import Metric
from streamgauge.report import tables
from streamgauge.report.model import Report, Worker

Make = Callable[..., Report]
Gap = Callable[..., Finding]
ALL_BUT_TOOLS = [rule for rule in Rule if rule is not Rule.TOOL_PAIRING]


def row(table: tables.Table, name: str) -> tables.Row:
    return next(row for row in table.rows if row[0] == name)


def test_rules_in_every_outcome(make: Make, gap: Gap) -> None:
    table = tables.rules(make(gap(), exercised={Rule.TOOL_PAIRING: 0}))
    assert len(table.rows) == len(Rule)
    assert row(table, "echo") == ("echo", "pass", "1,000 runs", "", "0")
    assert row(table, "protocol") == ("protocol", "pass", "12,000 messages", "", "0")
    assert row(table, "seq-contiguous") == ("seq-contiguous", "fail", "1,000 runs", "", "1")
    assert row(table, "tool-pairing") == ("tool-pairing", "unknown, required", "not exercised", "", "")


def test_a_rule_that_does_not_count(make: Make) -> None:
    table = tables.rules(make(exercised={Rule.TOOL_PAIRING: 0}, required=ALL_BUT_TOOLS))
    assert row(table, "tool-pairing") == ("tool-pairing", "–", "not exercised", "", "")


def test_a_rule_that_another_finding_masks(make: Make, gap: Gap) -> None:
    table = tables.rules(make(gap(), masked={Rule.TOOL_PAIRING: 1}))
    assert row(table, "tool-pairing") == ("tool-pairing", "unknown", "1,000 runs", "1", "0")
    table = tables.rules(make(gap(), exercised={Rule.TOOL_PAIRING: 0}, masked={Rule.TOOL_PAIRING: 1}))
    assert row(table, "tool-pairing") == ("tool-pairing", "unknown", "0 runs", "1", "0")


def test_figures_of_a_clean_run(make: Make) -> None:
    table = tables.figures(make())
    assert row(table, "events verified") == (
        "events verified",
        "12,000",
        "3,000/s, at most 7,000 in one second",
    )
    assert row(table, "users")[1:] == ("100", "on 100 connections")
    assert row(table, "runs")[1:] == ("1,000", "of 1,000 requests")
    assert row(table, "delivery success")[1:] == ("100 %", "1,000 of 1,000")
    assert row(table, "leaks")[1:] == ("none seen", "at most 1 in 4,006 messages (95 %)")
    assert [r[2] for r in table.rows[-2:]] == [
        "at most 1 in 334 runs (95 %)",
        "at most 1 in 33 connections (95 %)",
    ]


def test_figures_of_other_runs(make: Make, leak: Finding, dead: Doubt) -> None:
    assert row(tables.figures(make(leak)), "leaks")[1:] == ("1", "see the findings")
    assert row(tables.figures(make(runs=0)), "leaks")[1:] == ("unknown", "nothing was looked at")
    assert "(95 %, doubtful)" in row(tables.figures(make(doubts=[dead])), "leaks")[2]
    assert "7 more could not be sent" in row(tables.figures(make(counts={"requests unsent": 7})), "runs")[2]


def test_durations_with_the_last_interval(make: Make) -> None:
    table = tables.durations(make(), [Metric.LAG], [0.5, 0.99])
    assert table.head == ("times", "n", "p50", "p99", "95 % interval of p99")
    ((name, n, p50, p99, interval),) = table.rows
    assert (name, n) == ("generator lag", "1,000")
    assert p50 == "1.50 ms"
    assert p99 == "1.99 ms"
    assert interval == "(1.97 ms – 1.99 ms)"


def test_durations_with_every_interval(make: Make) -> None:
    table = tables.durations(make(), [Metric.LAG], [0.5, 0.999], every_interval=True)
    assert table.head == ("times", "n", "p50", "p99.9")
    ((_, _, p50, p999),) = table.rows
    assert p50.startswith("1.50 ms (1.4")
    assert p999 == "n < 2,995"


def test_doubtful_durations_say_so(make: Make, lagging: Doubt) -> None:
    table = tables.durations(make(doubts=[lagging]), [Metric.RUN, Metric.LAG], [0.5])
    assert [r[0] for r in table.rows] == ["run time (doubtful)", "generator lag"]


def test_upper_bounds_stand_only_where_there_are_some(make: Make) -> None:
    names = [Metric.DELIVERY, Metric.DELIVERY_BOUND]
    assert len(tables.durations(make(), names, [0.5]).rows) == 2
    assert [r[0] for r in tables.durations(make(runs=0), names, [0.5]).rows] == [Metric.DELIVERY]


def test_witnesses_mark_the_guilty_one(make: Make, gap: Gap) -> None:
    report = make(gap())
    table = tables.witnesses(gap(), report)
    assert [r[0] for r in table.rows] == ["", ">", ""]
    assert table.rows[1] == (">", "1.500000", "tool_executing", "5", "19", "388", "call-1")


def test_few_of_many_witnesses_are_shown(make: Make, gap: Gap) -> None:
    many = tuple(Witness(0, "thinking", seq=seq, guilty=seq == 50) for seq in range(100))
    table = tables.witnesses(replace(gap(), witnesses=many), make())
    assert [r[3] for r in table.rows] == ["47", "48", "49", "50", "51", "52", "53"]


def test_workers_and_environment_are_capped(make: Make) -> None:
    report = make(workers=[Worker(f"w{n}", 5, 1.5, None) for n in range(9)])
    assert tables.workers(report, 2).rows == (("w0", "5", "1.50 s", ""), ("w1", "5", "1.50 s", ""))
    assert ("locust", "2.47") in tables.environment(report, 9).rows
    assert ("locust", "2.47") not in tables.environment(report, 0).rows


@pytest.mark.parametrize("make_table", [tables.rules, tables.figures])
def test_every_row_is_as_wide_as_its_head(make: Make, make_table: Callable[[Report], tables.Table]) -> None:
    for report in (make(), make(runs=0)):
        table = make_table(report)
        assert {len(r) for r in table.rows} == {len(table.head)}
