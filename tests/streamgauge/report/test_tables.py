from collections.abc import Callable

import pytest
from msgspec.structs import replace

from streamgauge.core.checks.extent import Leaks
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Doubt, Finding, Witness
from streamgauge.core.metrics.goodput import GoodputState
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.metrics.streams import StreamState
from streamgauge.core.threshold import Threshold
from streamgauge.report import tables
from streamgauge.report.model import Report, Worker
from streamgauge.report.render_html import render_html
from streamgauge.report.render_markdown import render_markdown
from streamgauge.report.render_text import render_text
from streamgauge.report.table import Row, Table

Make = Callable[..., Report]
Gap = Callable[..., Finding]
ALL_BUT_TOOLS = [rule for rule in Rule if rule is not Rule.TOOL_PAIRING]


def row(table: Table, name: str) -> Row:
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
    assert row(table, "leaks")[1:] == ("none seen", "at most 1 in 33 connections (95 %)")
    assert row(table, "losses")[1:] == ("none seen", "at most 1 in 33 connections (95 %)")


def test_figures_of_other_runs(make: Make, leak: Finding, dead: Doubt) -> None:
    assert row(tables.figures(make(leak, leaks=Leaks(messages=1))), "leaks")[1:] == ("1", "see the findings")
    assert row(tables.figures(make(runs=0)), "leaks")[1:] == ("unknown", "nothing was looked at")
    assert "(95 %, doubtful)" in row(tables.figures(make(doubts=[dead])), "leaks")[2]
    assert "7 more could not be sent" in row(tables.figures(make(counts={"requests unsent": 7})), "runs")[2]


def test_every_page_says_how_many_runs_were_abandoned(make: Make) -> None:
    stalled = make(counts={"requests": 229, "runs abandoned": 48, "requests unsent": 2})
    for page in (render_text(stalled), render_markdown(stalled), render_html(stalled)):
        assert "of 229 requests, 2 more could not be sent, 48 runs abandoned" in page
    assert "abandoned" not in row(tables.figures(make()), "runs")[2]


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
    unknown = (*("unknown",) * 3, "n < 299", "n < 299", "unknown")
    assert tables.workers(report, 2).rows == tuple((w, "5", "1.50 s", *unknown) for w in ("w0", "w1"))
    assert ("locust", "2.47") in tables.environment(report, 9).rows
    assert ("locust", "2.47") not in tables.environment(report, 0).rows


def test_a_worker_says_how_it_was(make: Make) -> None:
    vitals = Worker("w0", 5, 1.5, 1_000, 0.25, 0.5, 0.0, 2_000_000, 3_000_000, (9, 2, 1))
    (row,) = tables.workers(make(workers=[vitals]), 9).rows
    assert row == ("w0", "5", "1.50 s", "25 %", "50 %", "0 %", "1.00 µs", "2.00 ms", "3.00 ms")
    (row,) = tables.workers(
        make(workers=[replace(vitals, gc_pause_max_ns=None, collections=(0, 0, 0))]), 9
    ).rows
    assert row[-1] == "none"


@pytest.mark.parametrize("make_table", [tables.rules, tables.figures])
def test_every_row_is_as_wide_as_its_head(make: Make, make_table: Callable[[Report], Table]) -> None:
    for report in (make(), make(runs=0)):
        table = make_table(report)
        assert {len(r) for r in table.rows} == {len(table.head)}


def test_thresholds_with_limit_value_interval_and_n(make: Make, demanded: tuple[Threshold, ...]) -> None:
    table = tables.thresholds(make(thresholds=demanded))
    assert table.head == ("threshold", "limit", "level", "outcome", "value", "95 % interval", "n")
    assert table.rows == (
        ("p99(delivery)", "< 50.0 ms", "fail", "pass", "1.99 ms", "(1.97 ms – 1.99 ms)", "1,000"),
        ("p50(run)", "< 1.00 ms", "fail", "fail", "1.50 ms", "(1.47 ms – 1.53 ms)", "1,000"),
        ("p99.9(run)", "< 1.00 s", "fail", "unknown (needs 2,995)", "–", "", "1,000"),
        ("max(lag)", "< 1.00 µs", "warn", "fail", "2.00 ms", "", "1,000"),
        ("rate(leaks)", "== 0 %", "fail", "pass", "0 %", "(0 % – 0.025 %)", "12,000"),
    )


def test_a_threshold_that_a_doubt_voids_shows_its_value(make: Make, lagging: Doubt) -> None:
    table = tables.thresholds(make(thresholds=["max(run) < 1s", "goodput_share > 0.9"], doubts=[lagging]))
    assert table.rows[0][3:5] == ("unknown (void: generator lag p99)", "2.00 ms")
    assert table.rows[1] == (
        *("goodput_share", "> 90.00 %", "fail", "pass", "100 %", "(99.70 % – 100 %)", "1,000"),
    )


def test_goodput_and_what_spoke_against_it(make: Make, lagging: Doubt) -> None:
    assert row(tables.figures(make()), "goodput")[1:] == ("250/s", "100 %, 1,000 of 1,000 runs")
    assert row(tables.figures(make(runs=0)), "goodput")[1:] == ("unknown", "nothing to count")
    limited = GoodputState(1_000, 990, 4, 5, {"run < 30s": 3, "first_event < 1s": 0})
    figure = row(tables.figures(make(goodput=limited, doubts=[lagging])), "goodput (doubtful)")
    assert figure[1] == "248/s"
    assert figure[2] == ("99.00 %, 990 of 1,000 runs: 4 broke a rule, 5 without a result, 3 not run < 30s")


def test_streams_where_there_were_some(make: Make, streaming: StreamState) -> None:
    figure = row(tables.figures(make(streams=streaming)), "answer streams")
    assert figure[1:] == ("301", "6,020 chunks, 3 stalls of more than 1.00 s in 2 of them, 1 all at once")
    assert "answer streams" not in {r[0] for r in tables.figures(make()).rows}


def test_chunk_rates_with_every_interval(make: Make, streaming: StreamState, lagging: Doubt) -> None:
    table = tables.chunk_rates(make(streams=streaming, doubts=[lagging]))
    assert table.head == ("answer streams", "n", "p1", "p10", "p50", "p90")
    ((name, n, p1, *_),) = table.rows
    assert (name, n) == ("chunks per second (doubtful)", "300")
    assert p1 == "20.1/s (20.1/s – 20.1/s)"
    assert tables.chunk_rates(make()).rows == ()
    few = replace(streaming, rates=replace(streaming.rates, n=5))
    assert tables.chunk_rates(make(streams=few)).rows[0][2:] == ("n < 299", "n < 29", "n < 6", "n < 29")


def test_times_that_not_every_run_has_stand_only_where_there_are_some(make: Make) -> None:
    names = [Metric.FIRST_EVENT, Metric.FIRST_CHUNK, Metric.DELIVERY_BOUND]
    assert [r[0] for r in tables.durations(make(runs=0), names, [0.5]).rows] == [Metric.FIRST_EVENT]
    assert [r[0] for r in tables.durations(make(), names, [0.5]).rows] == names


def test_a_finding_names_whose_it_is_at_full_length(make: Make, gap: Gap) -> None:
    long = replace(gap(run="r" * 90), other="u23")
    assert tables.finding(long, make()).rows == (
        ("user", "u17"),
        ("connection", "18"),
        ("other user", "u23"),
        ("run", "r" * 90),
        ("request", "q-1"),
        ("second", "1.500000"),
    )
    merged = Finding(Rule.ISOLATION_ENVELOPE, "one run id at two users", "u1", 0, 0)
    assert tables.finding(merged, make()).rows == (("user", "u1"),)


def test_a_plan_without_what_is_empty(make: Make) -> None:
    plan = {
        "users": 9,
        "duration": 30.0,
        "faults": [],
        "target": "",
        "arrivals": {"kind": "poisson", "rate": 0.5},
    }
    table = tables.plan(make(plan=plan | {"required": ["echo", "complete"], "deep": {"n": [1, None]}}), 9)
    assert sorted(table.rows) == [
        ("arrivals", "kind poisson, rate 0.5"),
        ("deep", "n 1, null"),
        ("duration", "30"),
        ("required", "echo, complete"),
        ("users", "9"),
    ]
    assert len(tables.plan(make(plan=plan), 1).rows) == 1


def test_a_rule_that_is_not_promised_says_so(make: Make) -> None:
    report = make(promises=frozenset(Rule) - {Rule.SEQ_CONTIGUOUS}, exercised={Rule.SEQ_CONTIGUOUS: 0})
    rows = {row[0]: row[1:] for row in tables.rules(report).rows}
    assert rows["seq-contiguous"] == ("not promised", "", "", "")
    assert report.outcome == "pass"


def test_times_that_the_clocks_hide_have_no_numbers(make: Make) -> None:
    report = make()
    shown = next(duration for duration in report.durations if duration.n)
    hidden = replace(report, durations=(replace(shown, bound_ns=10**15),))
    for every in (False, True):
        (cells,) = tables.durations(hidden, [shown.name], (0.5, 0.99), every_interval=every).rows
        assert cells[1:4] == (f"{shown.n:,}", "–", "–")
