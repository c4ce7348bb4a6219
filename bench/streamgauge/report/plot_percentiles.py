"""Latency by percentile, as HdrHistogram plots it: the further right, the rarer.

A percentile p stands at 1/(1 − p) on a logarithmic scale, so that p90, p99 and
p99.9 are equally far apart, and the tail is as easy to read as the middle.
"""

from collections.abc import Sequence
from itertools import count
from typing import Final, NamedTuple

from streamgauge.core.histogram import Distribution
from streamgauge.core.interval import quantile_ranks
from streamgauge.core.metrics.latency import Metric
from streamgauge.report import quantity, svg, tables, wording
from streamgauge.report.markup import Markup, joined, tag
from streamgauge.report.model import Duration, Report
from streamgauge.report.svg import Box, Scale

MAIN: Final = (Metric.FIRST_EVENT, Metric.FIRST_THOUGHT, Metric.DELIVERY, Metric.LAG)
HEIGHT: Final = 380
_STEPS: Final = 20  # points to each power of ten of 1/(1 − p)
_FLOOR_NS: Final = 1_000  # what is less is drawn here: no clock in this is finer
_MOST_TICKS: Final = 17
_TICKS: Final = {2.0: "p50", 4.0: "p75", 10.0: "p90", 20.0: "p95", 100.0: "p99"} | {
    10.0 ** (2 + nines): f"p99.{'9' * nines}" for nines in range(1, 9)
}
# Marks of different form, so that colour is not needed to tell them apart.
_CORNERS: Final = (
    ((-4, -4), (4, -4), (4, 4), (-4, 4)),  # square
    ((0, -5), (5, 4), (-5, 4)),  # triangle
    ((0, -6), (6, 0), (0, 6), (-6, 0)),  # diamond
    ((-1.5, -6), (1.5, -6), (1.5, 6), (-1.5, 6)),  # bar
)


class CurvePoint(NamedTuple):
    """A quantile and its 95 % interval, at `x` = 1/(1 − p)."""

    x: float
    value_ns: int
    low_ns: int
    high_ns: int


def quantile_curve(of: Distribution) -> tuple[CurvePoint, ...]:
    """The quantiles that the sample carries, and no others."""
    points: list[CurvePoint] = []
    for step in count(1):
        x = 10 ** (step / _STEPS)
        q = 1 - 1 / x
        ranks = quantile_ranks(q, of.n)
        if ranks is None and (points or q > 0.5):
            break
        if ranks is not None:
            low, high = ranks
            points.append(CurvePoint(x, of.quantile(q), of.at_rank(low), of.at_rank(high)))
    return tuple(points)


class Curve(NamedTuple):
    """A metric and its line; its `place` in `MAIN` gives it colour, dashes and marks."""

    place: int
    of: Duration
    points: tuple[CurvePoint, ...]


def curves(report: Report) -> tuple[Curve, ...]:
    """What of `MAIN` was measured; without points where the values are too few."""
    of_name = {duration.name: duration for duration in report.durations}
    return tuple(
        Curve(place, of_name[name], quantile_curve(of_name[name].distribution))
        for place, name in enumerate(MAIN)
        if name in of_name
    )


def plot_percentiles(shown: Sequence[Curve], width: int) -> Markup:
    """One line a metric in its band of 95 %, and a mark at every quantile of the tables; "" for none."""
    drawn = [curve for curve in shown if curve.points]
    if not drawn:
        return Markup()
    points = [point for curve in drawn for point in curve.points]
    low = svg.round_down(max(_FLOOR_NS, min(point.low_ns for point in points)))
    high = svg.round_up(max(2 * low, *(point.high_ns for point in points)))
    last = max(point.x for point in points)
    y_ticks = {tick: quantity.round_duration(tick) for tick in svg.log_ticks(low, high, _MOST_TICKS)}
    x_ticks = {x: label for x, label in _TICKS.items() if x <= last}
    box = Box(svg.left_margin(y_ticks.values()), 12, width - 28, HEIGHT - 44)
    x_of = Scale(1, last, box.left, box.right, logarithmic=True)
    y_of = Scale(low, high, box.bottom, box.top, logarithmic=True)
    names = ", ".join(curve.of.name for curve in drawn)
    return svg.drawing(
        width,
        HEIGHT,
        f"Latency by percentile: {names}. The table of times holds the numbers.",
        svg.y_axis(y_of, y_ticks, box),
        svg.x_axis(x_of, x_ticks, box),
        svg.text(box.right, HEIGHT - 6, "percentile p, drawn at 1/(1 − p)", "label", anchor="end"),
        *(part(curve, x_of, y_of) for part in (_band, _line, _marks) for curve in drawn),
    )


def legend(shown: Sequence[Curve]) -> Markup:
    """How each metric is drawn, and how many values it has."""
    return tag("ul", *map(_legend_item, shown), class_="legend")


def _legend_item(curve: Curve) -> Markup:
    line = svg.line([(0, 7), (44, 7)], f"line series{curve.place}")
    few = "" if curve.points else ", too few to be drawn"
    return tag(
        "li",
        svg.drawing(44, 14, "", line, _mark(curve.place, 22, 7), class_="swatch"),
        wording.timed(curve.of),
        tag("small", f"n = {quantity.count(curve.of.n)}{few}"),
    )


def _band(curve: Curve, x_of: Scale, y_of: Scale) -> Markup:
    lower = [(x_of(point.x), y_of(point.low_ns)) for point in curve.points]
    upper = [(x_of(point.x), y_of(point.high_ns)) for point in curve.points]
    return svg.band(lower, upper, f"band series{curve.place}")


def _line(curve: Curve, x_of: Scale, y_of: Scale) -> Markup:
    points = [(x_of(point.x), y_of(point.value_ns)) for point in curve.points]
    return svg.line(points, f"line series{curve.place}")


def _marks(curve: Curve, x_of: Scale, y_of: Scale) -> Markup:
    """The quantiles of the tables; a pointer that rests on one is shown its numbers."""
    return joined(
        _mark(
            curve.place,
            x_of(1 / (1 - quantile.q)),
            y_of(quantile.value_ns),
            f"{wording.timed(curve.of)}, p{quantile.q * 100:g}: {tables.quantile(quantile)}",
        )
        for quantile in curve.of.quantiles
        if quantile.value_ns is not None
    )


def _mark(place: int, x: float, y: float, said: str = "") -> Markup:
    corners = [(x + right, y + down) for right, down in _CORNERS[place]]
    return svg.shape(corners, f"point series{place}", said)
