import math
import re
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from streamgauge.core.finding import Doubt
from streamgauge.core.histogram import Distribution, Histogram
from streamgauge.core.interval import least_sample
from streamgauge.core.metrics.latency import Metric
from streamgauge.report.model import Report
from streamgauge.report.plot_percentiles import HEIGHT, MAIN, curves, legend, plot_percentiles, quantile_curve

Make = Callable[..., Report]


def of(*values: int) -> Distribution:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram.distribution()


HUNDRED = of(*range(1, 101))


def test_a_curve_goes_through_the_quantiles_of_a_known_sample() -> None:
    curve = {round(point.x, 6): point for point in quantile_curve(HUNDRED)}
    p90 = curve[10]
    assert (p90.value_ns, p90.low_ns, p90.high_ns) == (90, 84, 96)
    assert curve[round(10**0.3, 6)].value_ns == 50  # q = 0.4988


def test_a_curve_of_two_values_is_a_step() -> None:
    values = [point.value_ns for point in quantile_curve(of(*[10] * 80, *[100] * 20))]
    assert set(values) == {10, 100}
    assert values == sorted(values)
    assert [point.value_ns for point in quantile_curve(of(*[10] * 80, *[100] * 20)) if point.x <= 5] == [
        10
    ] * 13


@pytest.mark.parametrize("n", [6, 29, 100, 299, 2_995, 40_000])
def test_a_curve_ends_where_the_sample_no_longer_carries_it(n: int) -> None:
    curve = quantile_curve(of(*range(n)))
    last, beyond = (1 - 1 / x for x in (curve[-1].x, curve[-1].x * 10 ** (1 / 20)))
    assert least_sample(last) <= n < least_sample(beyond)


def test_p99_is_the_last_point_of_the_smallest_sample_that_carries_it() -> None:
    assert quantile_curve(of(*range(299)))[-1].x == pytest.approx(100)
    assert quantile_curve(of(*range(298)))[-1].x < 100


def test_a_curve_never_falls_and_stays_in_its_band() -> None:
    curve = quantile_curve(of(*(number**2 for number in range(3_000))))
    assert all(point.low_ns <= point.value_ns <= point.high_ns for point in curve)
    values = [point.value_ns for point in curve]
    assert values == sorted(values)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_few_values_have_no_curve(n: int) -> None:
    assert quantile_curve(of(*range(n))) == ()


def corners(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", path)]


def paths(plot: str, class_: str) -> list[list[tuple[float, float]]]:
    return [corners(path) for path in re.findall(rf'd="([^"]*)" class="{class_}"', plot)]


def test_a_known_point_is_drawn_where_it_belongs(make: Make) -> None:
    # 1,000 values from 1 ms to 1.999 ms: the axis goes from 1 to 2 ms, 1/(1 − p) to 10^2.5 with p = 99.68 %
    plot = plot_percentiles(curves(make()), 900)
    left, right, top, bottom = 12 + 6 * 7.5, 900 - 28, 12, HEIGHT - 44
    (line,) = paths(plot, "line series0")
    x, y = line[-1]
    assert x == right
    x, y = next(point for point in line if point[0] == pytest.approx(left + (right - left) / 2.5, abs=0.1))
    assert y == pytest.approx(bottom - (bottom - top) * math.log2(1.9), abs=2)  # p90, in a bucket of 0.8 %


def test_one_line_band_and_marks_for_every_main_metric(make: Make) -> None:
    plot = plot_percentiles(curves(make()), 900)
    for place in range(len(MAIN)):
        assert len(paths(plot, f"line series{place}")) == 1
        assert len(paths(plot, f"band series{place}")) == 1
        assert len(paths(plot, f"point series{place}")) == 3  # p50, p90, p99; 1,000 values carry no p99.9
    assert "<title>request to first event, p90: 1.89 ms (" in plot


def test_all_is_drawn_inside(make: Make) -> None:
    for width in (368, 928):
        for path in corners(" ".join(re.findall(r'd="([^"]*)"', plot_percentiles(curves(make()), width)))):
            assert 0 <= path[0] <= width
            assert 0 <= path[1] <= HEIGHT


def test_ticks_are_named_in_units_and_percentiles(make: Make) -> None:
    labels = re.findall(r'class="tick"[^>]*>([^<]*)<', plot_percentiles(curves(make()), 900))
    assert labels == [
        "1 ms",
        "1.2 ms",
        "1.4 ms",
        "1.6 ms",
        "1.8 ms",
        "2 ms",
        "p50",
        "p75",
        "p90",
        "p95",
        "p99",
    ]


def with_lag(report: Report, of_lag: Distribution) -> Report:
    return replace(
        report,
        durations=tuple(
            replace(one, n=of_lag.n, distribution=of_lag, quantiles=()) if one.name == Metric.LAG else one
            for one in report.durations
        ),
    )


def test_what_is_less_than_a_microsecond_is_drawn_at_one(make: Make) -> None:
    plot = plot_percentiles(curves(with_lag(make(), of(*range(100)))), 900)
    assert ">1 µs<" in plot
    assert {y for _, y in paths(plot, "line series3")[0]} == {HEIGHT - 44}


def test_too_few_values_are_not_drawn_and_that_is_said(make: Make) -> None:
    report = with_lag(make(), of(1, 2, 3))
    assert not paths(plot_percentiles(curves(report), 900), "line series3")
    assert "<small>n = 3, too few to be drawn</small>" in legend(curves(report))
    assert plot_percentiles(curves(make(runs=0)), 900) == ""


def test_the_legend_names_what_is_doubtful(make: Make, lagging: Doubt) -> None:
    assert "delivery latency (doubtful)<small>n = 1,000</small>" in legend(curves(make(doubts=[lagging])))
    assert legend(curves(make())).count("<li>") == len(MAIN)


def test_what_was_not_measured_has_no_line(make: Make) -> None:
    report = make()
    few = replace(report, durations=tuple(one for one in report.durations if one.name != Metric.DELIVERY))
    assert not paths(plot_percentiles(curves(few), 900), "line series2")
    assert legend(curves(few)).count("<li>") == len(MAIN) - 1
