from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.core.finding import Outcome
from streamgauge.core.histogram import Distribution, Histogram
from streamgauge.core.interval import zero_upper_bound
from streamgauge.core.limit import LimitError, Operator
from streamgauge.core.measured import (
    CHUNK_RATE,
    DURATIONS,
    FIGURES,
    RATES,
    SHARES,
    SIZES,
    Figure,
    Measured,
    Ratio,
    Size,
)
from streamgauge.core.threshold import (
    Level,
    Threshold,
    ThresholdResult,
    Unit,
    evaluate,
    known_names,
    parse,
)

MS = 1_000_000
PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN
DOC = Path(__file__).parents[3] / "docs" / "thresholds.md"


def times(values: Iterable[int]) -> Distribution:
    """The distribution of these values in ms."""
    histogram = Histogram()
    for value in values:
        histogram.add(value * MS)
    return histogram.distribution()


HUNDREDS = times(range(1, 301))  # 1 to 300 ms


def held(text: str, level: Level = Level.FAIL, **measured: object) -> ThresholdResult:
    """The threshold against what was measured."""
    return evaluate(parse(text, level), Measured(**measured))  # type: ignore[arg-type]  # as a test names it


def outcome(text: str, **measured: object) -> Outcome:
    return held(text, Level.FAIL, **measured).outcome


# Reading


@pytest.mark.parametrize(
    ("text", "threshold"),
    [
        ("p99(delivery) < 50ms", ("delivery", "p99", "<", 50 * MS, "ns")),
        ("p99.9(run)<=30s", ("run", "p99.9", "<=", 30_000 * MS, "ns")),
        ("p50 ( first_event ) > 1 us", ("first_event", "p50", ">", 1_000, "ns")),
        ("max(chunk_gap) < 2s", ("chunk_gap", "max", "<", 2_000 * MS, "ns")),
        ("mean(lag) >= 1ms", ("lag", "mean", ">=", MS, "ns")),
        ("count(delivery) == 1000", ("delivery", "count", "==", 1000, "count")),
        ("count(chunk_rate) >= 10", ("chunk_rate", "count", ">=", 10, "count")),
        ("p10(chunk_rate) > 20/s", ("chunk_rate", "p10", ">", 20.0, "1/s")),
        ("min(chunk_rate) > 0.5", ("chunk_rate", "min", ">", 0.5, "1/s")),
        ("server_memory < 1.5GB", ("server_memory", "", "<", 1_500_000_000, "bytes")),
        ("worker_memory_growth <= 16MiB", ("worker_memory_growth", "", "<=", 16 * 2**20, "bytes")),
        ("rate(leaks) == 0", ("leaks", "rate", "==", 0.0, "share")),
        ("rate(errors) < 0.1%", ("errors", "rate", "<", 0.001, "share")),
        ("rate(lost) < 1e-6", ("lost", "rate", "<", 1e-6, "share")),
        ("goodput_share > 99.9%", ("goodput_share", "", ">", 0.999, "share")),
        ("goodput_share == 1", ("goodput_share", "", "==", 1.0, "share")),
        ("goodput >= 40/s", ("goodput", "", ">=", 40.0, "1/s")),
        ("events_per_s > 1000", ("events_per_s", "", ">", 1000.0, "1/s")),
    ],
)
def test_a_threshold_is_read(text: str, threshold: tuple[str, str, str, float, str]) -> None:
    metric, statistic, operator, limit, unit = threshold
    assert parse(text) == Threshold(
        metric, statistic, Operator(operator), limit, Unit(unit), Level.FAIL, text
    )


NOTHING = "there is no such thing to measure; known are p50"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "a statistic or the name of a share, figure or size was expected where the end stands"),
        ("p99(latency) < 50ms", NOTHING),
        (
            "server_memory < 64",
            "a unit of size (kB, MB, GB, KiB, MiB, GiB) was expected where the end stands",
        ),
        ("server_memory < 64ms", "a unit of size (kB, MB, GB, KiB, MiB, GiB) was expected where 'ms' stands"),
        ("server_memory < 9999999GB", "that is more than any memory holds"),
        ("max(server_memory) < 64MB", NOTHING),
        ("p100(delivery) < 50ms", NOTHING),
        ("p0(delivery) < 50ms", NOTHING),
        ("median(delivery) < 50ms", NOTHING),
        ("p99(leaks) < 1s", NOTHING),
        ("rate(delivery) < 1", NOTHING),
        ("rate(goodput_share) < 1", NOTHING),
        ("delivery < 50ms", NOTHING),
        ("leaks == 0", NOTHING),
        ("p99(goodput) > 1", NOTHING),
        ("p99(delivery < 50ms", "')' was expected where '<' stands"),
        ("p99() < 50ms", "the name of what is measured was expected where ')' stands"),
        ("p99(delivery)", "<= or >= or < or > was expected where the end stands"),
        ("p99(delivery) == 50ms", "<= or >= or < or > was expected where '==' stands"),
        ("goodput == 40", "<= or >= or < or > was expected where '==' stands"),
        ("rate(leaks) = 0", "was expected where '=' stands"),
        ("p99(delivery) < 50", "a unit of time (us, ms, s, m, h) was expected where the end stands"),
        ("p99(delivery) < 50%", "a unit of time (us, ms, s, m, h) was expected where '%' stands"),
        ("p99(delivery) < 50ms 3", "the end was expected where '3' stands"),
        ("p99(delivery) < 50ms and more", "the end was expected where 'and' stands"),
        ("goodput_share > 99.9", "a rate or share is at most 1, or 100%"),
        ("rate(lost) < 1e-13", "so fine a part cannot be measured"),
        ("goodput_share > 0.9999999999999", "so fine a part cannot be measured"),
        ("count(delivery) > 1.5", "a count is a whole number"),
        ("goodput > 40/m", "was expected where '/' stands"),
    ],
)
def test_what_is_no_threshold_is_refused_by_its_text_and_the_reason(text: str, problem: str) -> None:
    with pytest.raises(LimitError) as refused:
        parse(text)
    assert str(refused.value).startswith(f"{text!r}: ")
    assert problem in str(refused.value)


@given(st.text(max_size=40) | st.text("p9(deliry)<=0.1ms%/s ", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(LimitError):
        assert parse(text).text == text.strip()


def everything() -> list[str]:
    """One threshold for each name there is."""
    return [
        *(f"p99({name}) < 1s" for name in DURATIONS),
        f"p99({CHUNK_RATE}) > 1",
        *(f"rate({name}) == 0" for name in RATES),
        *(f"{name} > 0.5" for name in (*SHARES, *FIGURES)),
        *(f"{name} < 1GB" for name in SIZES),
    ]


@pytest.mark.parametrize("text", everything())
def test_every_name_is_known_documented_and_unknown_where_it_was_not_measured(text: str) -> None:
    threshold = parse(text)
    assert threshold.metric in known_names()
    assert f"`{threshold.metric}`" in DOC.read_text()
    result = evaluate(threshold, Measured())
    assert (result.outcome, result.value, result.n, result.void) == (UNKNOWN, None, 0, "")


# Quantiles


def test_a_quantile_is_held_against_its_limit_with_interval_and_n() -> None:
    result = held("p99(run) < 298ms", durations={"run": HUNDREDS})
    assert (result.outcome, result.n, result.needs) == (PASS, 300, 299)
    assert result.value == pytest.approx(297 * MS, rel=0.01)
    assert result.low is not None
    assert result.high is not None
    assert result.low < result.value < result.high  # type: ignore[operator]
    assert result.high > 299 * MS


@pytest.mark.parametrize("text", ["p50(run) < 100ms", "p90(run) > 280ms", "p99(run) <= 200ms"])
def test_a_quantile_beyond_its_limit_fails(text: str) -> None:
    assert outcome(text, durations={"run": HUNDREDS}) is FAIL


def test_the_value_decides_even_where_the_interval_straddles_the_limit() -> None:
    result = held("p50(run) < 155ms", durations={"run": HUNDREDS})
    assert result.outcome is PASS
    assert result.high is not None
    assert result.high > result.threshold.limit


@pytest.mark.parametrize(
    ("statistic", "needs"), [("p50", 6), ("p90", 29), ("p99", 299), ("p99.9", 2_995), ("p1", 299)]
)
@pytest.mark.parametrize("limit", ["< 1h", "> 1h"])
def test_too_few_samples_are_unknown_whatever_they_are(statistic: str, needs: int, limit: str) -> None:
    result = held(f"{statistic}(run) {limit}", durations={"run": times([1] * (needs - 1))})
    assert (result.outcome, result.value, result.n, result.needs) == (UNKNOWN, None, needs - 1, needs)
    assert outcome(f"{statistic}(run) {limit}", durations={"run": times([1] * needs)}) is not UNKNOWN


# Other statistics


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("max(run) <= 300ms", 300 * MS, PASS),
        ("max(run) < 300ms", 300 * MS, FAIL),
        ("min(run) >= 1ms", MS, PASS),
        ("mean(run) < 150ms", 150.5 * MS, FAIL),
        ("mean(run) < 151ms", 150.5 * MS, PASS),
        ("count(run) >= 300", 300, PASS),
        ("count(run) == 299", 300, FAIL),
    ],
)
def test_exact_statistics_have_no_interval(text: str, value: float, expected: Outcome) -> None:
    result = held(text, durations={"run": HUNDREDS})
    assert (result.outcome, result.value, result.n) == (expected, value, 300)
    assert (result.low, result.high) == (None, None)


def test_a_count_of_nothing_never_passes() -> None:
    assert outcome("count(run) < 5") is UNKNOWN
    assert outcome("count(run) >= 5") is FAIL


def test_chunks_per_second_are_kept_in_thousandths() -> None:
    histogram = Histogram()
    for rate in range(300):
        histogram.add(20_000 + rate)
    rates = histogram.distribution()
    result = held("p10(chunk_rate) > 20/s", chunk_rate=rates)
    assert (result.outcome, result.n) == (PASS, 300)
    assert result.value == pytest.approx(20.0, rel=0.01)
    assert result.low == pytest.approx(20.0, rel=0.01)
    assert held("max(chunk_rate) < 21/s", chunk_rate=rates).value == 20.299
    assert held("count(chunk_rate) == 300", chunk_rate=rates).outcome is PASS


def test_figures_are_per_second() -> None:
    result = held("goodput >= 40/s", figures={"goodput": Figure(40.0, 1_200)})
    assert (result.outcome, result.value, result.n, result.low) == (PASS, 40.0, 1_200, None)
    assert outcome("goodput > 40/s", figures={"goodput": Figure(40.0, 1_200)}) is FAIL
    assert outcome("goodput < 40/s", figures={"goodput": Figure(0.0, 0)}) is UNKNOWN
    assert outcome("goodput > 40/s", figures={"goodput": Figure(0.0, 100)}) is FAIL  # none was good


# Rates and shares


def test_a_rate_of_which_nothing_was_seen_has_its_upper_bound() -> None:
    result = held("rate(leaks) == 0", ratios={"leaks": Ratio(0, 12_000)})
    assert (result.outcome, result.value, result.n) == (PASS, 0.0, 12_000)
    assert (result.low, result.high) == (0.0, zero_upper_bound(12_000))


def test_one_leak_fails() -> None:
    result = held("rate(leaks) == 0", ratios={"leaks": Ratio(1, 12_000)})
    assert (result.outcome, result.value) == (FAIL, 1 / 12_000)
    assert result.low is not None
    assert result.high is not None
    assert 0 < result.low < 1 / 12_000 < result.high


def test_more_findings_than_messages_have_no_interval() -> None:
    result = held("rate(leaks) == 0", ratios={"leaks": Ratio(20, 10)})
    assert (result.outcome, result.value, result.low, result.high) == (FAIL, 2.0, None, None)


@pytest.mark.parametrize(
    ("text", "hits", "of", "expected"),
    [
        ("goodput_share > 0.999", 2_995, 2_995, PASS),
        ("goodput_share > 0.999", 2_994, 2_994, UNKNOWN),  # as p99.9 takes
        ("goodput_share > 0.999", 2_990, 2_994, FAIL),  # what was seen was seen
        ("goodput_share >= 99.9%", 9_990, 10_000, PASS),
        ("goodput_share > 99.9%", 9_990, 10_000, FAIL),
        ("goodput_share == 1", 3, 3, PASS),
        ("goodput_share == 100%", 2, 3, FAIL),
    ],
)
def test_a_share_takes_the_samples_of_the_quantile_of_its_rank(
    text: str, hits: int, of: int, expected: Outcome
) -> None:
    assert outcome(text, ratios={"goodput_share": Ratio(hits, of)}) is expected


@pytest.mark.parametrize(
    ("hits", "of", "expected"), [(0, 298, UNKNOWN), (0, 299, PASS), (3, 299, FAIL), (2, 299, PASS)]
)
def test_so_does_a_rate(hits: int, of: int, expected: Outcome) -> None:
    assert outcome("rate(errors) < 1%", ratios={"errors": Ratio(hits, of)}) is expected


# Doubts


def test_a_void_value_is_unknown_whatever_it_is_and_is_shown() -> None:
    for text in ("p99(run) < 1s", "p99(run) < 1ms"):
        result = held(text, durations={"run": HUNDREDS}, void={"run": "generator lag"})
        assert (result.outcome, result.void) == (UNKNOWN, "generator lag")
        assert result.value == pytest.approx(297 * MS, rel=0.01)


def test_other_values_are_not() -> None:
    assert outcome("p99(lag) < 1s", durations={"lag": HUNDREDS}, void={"run": "generator lag"}) is PASS


def test_where_not_all_was_seen_nothing_passes_but_what_was_seen_was_seen() -> None:
    result = held("rate(leaks) == 0", ratios={"leaks": Ratio(0, 500)}, holes="workers missing")
    assert (result.outcome, result.void) == (UNKNOWN, "workers missing")
    result = held("rate(leaks) == 0", ratios={"leaks": Ratio(1, 500)}, holes="workers missing")
    assert (result.outcome, result.void) == (FAIL, "")


def test_the_level_changes_nothing_about_the_outcome() -> None:
    result = held("p99(run) < 1ms", Level.WARN, durations={"run": HUNDREDS})
    assert (result.outcome, result.threshold.level) == (FAIL, Level.WARN)


@pytest.mark.parametrize(
    ("limit", "comes_to"),
    [("p50(delivery) < 152ms", PASS), ("p50(delivery) < 150ms", UNKNOWN), ("p50(delivery) < 140ms", FAIL)],
)
def test_where_the_clocks_bound_decides_a_threshold_is_unknown(limit: str, comes_to: Outcome) -> None:
    known: dict[str, Any] = {"durations": {"delivery": HUNDREDS}, "bounds": {"delivery": MS}}
    assert outcome(limit, **known) is comes_to
    assert outcome(limit.replace("p50", "count").replace("ms", "").replace("<", ">"), **known) is PASS
    void = held("p50(delivery) < 150ms", level=Level.FAIL, **known).void
    assert void == "the clocks are known to ± 1,000 µs only"


# Sizes


def test_a_size_is_held_against_its_limit_and_what_was_seen_stands_whatever_is_doubted() -> None:
    sizes = {"server_memory": Size(70_000_000, 12)}
    kept = held("server_memory < 80MB", sizes=sizes)
    assert (kept.outcome, kept.value, kept.n, kept.low) == (PASS, 70_000_000, 12, None)
    assert outcome("server_memory < 60MB", sizes=sizes, holes="workers missing") is FAIL
    assert outcome("server_memory < 80MB", sizes=sizes, holes="workers missing") is UNKNOWN
