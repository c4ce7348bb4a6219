"""Events per second over the run, and when findings were made."""

import math
from typing import Final, NamedTuple

from streamgauge.core.metrics.tally import SECOND_NS
from streamgauge.report import quantity, svg, wording
from streamgauge.report.markup import Markup, joined
from streamgauge.report.model import Report
from streamgauge.report.svg import Box, Scale

HEIGHT: Final = 220
_PER_STEP: Final = 2.5  # pixels of width, at least, that a step of the line takes
PER_TICK: Final = 80  # pixels of width
_ROUND_SECONDS: Final = (1, 2, 5, 10, 15, 30)
_ROUND_HOURS: Final = (1, 2, 3, 6, 12, 24)
_UNITS: Final = (("s", 1, _ROUND_SECONDS), ("min", 60, _ROUND_SECONDS), ("h", 3600, _ROUND_HOURS))


class Bin(NamedTuple):
    """Some seconds of the run: how many events were read in each of them, on average and at the extremes."""

    from_s: float
    to_s: float
    mean: float
    least: int
    most: int


def bin_seconds(report: Report, width: int) -> int:
    """How many seconds a step holds in a plot of this width."""
    return max(1, math.ceil(len(report.seconds) * _PER_STEP / width))


def bins(report: Report, size: int) -> tuple[Bin, ...]:
    """Bins of `size` seconds; these are the clock's, so that the first began before the run did."""
    early = report.began_ns % SECOND_NS / SECOND_NS
    return tuple(
        Bin(
            max(0.0, start - early),
            start + len(part) - early,
            sum(part) / len(part),
            min(part),
            max(part),
        )
        for start in range(0, len(report.seconds), size)
        for part in [report.seconds[start : start + size]]
    )


def time_ticks(until_s: float, most: int) -> dict[float, str]:
    """Round times from 0 on, at most `most` after it, all in one unit."""
    for unit, size, steps in _UNITS:
        for step in steps:
            if until_s <= step * size * most:
                return {
                    float(n * step * size): f"{n * step} {unit}"
                    for n in range(int(until_s // (step * size)) + 1)
                }
    return {0.0: "0 h", until_s: f"{until_s / 3600:,.0f} h"}


def plot_series(report: Report, width: int) -> Markup:
    """Steps over time, in a band of the extremes where a step holds several seconds; "" for no events."""
    if not report.seconds:
        return Markup()
    y_ticks = {tick: quantity.count(int(tick)) for tick in svg.linear_ticks(max(report.seconds), 5)}
    box = Box(svg.left_margin(y_ticks.values()), 16, width - 28, HEIGHT - 44)
    size = bin_seconds(report, width)
    drawn = bins(report, size)
    until_s = max(report.duration_s, drawn[-1].to_s)
    x_of = Scale(0, until_s, box.left, box.right)
    y_of = Scale(0, max(y_ticks), box.bottom, box.top)
    edges = [x_of(drawn[0].from_s), *(x_of(part.to_s) for part in drawn)]
    mean, least, most = (
        svg.stairs(edges, [y_of(value) for value in values])
        for values in zip(*((part.mean, part.least, part.most) for part in drawn), strict=True)
    )
    floor = [(edges[0], box.bottom), (edges[-1], box.bottom)]
    return svg.drawing(
        width,
        HEIGHT,
        f"Events read in each second of the run: {wording.peak(report)}.",
        svg.y_axis(y_of, y_ticks, box),
        svg.x_axis(x_of, time_ticks(until_s, int(box.right - box.left) // PER_TICK), box),
        svg.text(
            box.right, HEIGHT - 6, f"time since the run began, in steps of {size} s", "label", anchor="end"
        ),
        svg.band(floor, mean, "area series0"),
        svg.band(least, most, "band series0") if least != most else "",
        svg.line(mean, "line steps series0"),
        _findings(report, x_of, box.top),
    )


def _findings(report: Report, x_of: Scale, y: float) -> Markup:
    """A mark above the plot for every pixel at which a finding was made that the report keeps."""
    at: dict[int, str] = {}
    for verdict in report.verdicts:
        for found in verdict.findings:
            second = (found.at_ns - report.began_ns) / SECOND_NS
            if x_of.low <= second <= x_of.high:
                at.setdefault(round(x_of(second)), f"{verdict.rule}: {wording.finding(found)}")
    return joined(
        svg.shape([(x - 5, y - 14), (x + 5, y - 14), (x, y - 4)], "finding", said) for x, said in at.items()
    )
