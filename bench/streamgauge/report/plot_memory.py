"""Resident memory over the run: the server's, and each generator process's."""

from typing import Final

from streamgauge.core.metrics.tally import SECOND_NS
from streamgauge.report import quantity, svg
from streamgauge.report.markup import Markup, joined, tag
from streamgauge.report.model import Report
from streamgauge.report.plot_series import PER_TICK, time_ticks
from streamgauge.report.svg import Box, Scale

HEIGHT: Final = 220
MOST_LINES: Final = 4  # that can be told apart; the others are in report.json
_LEAST: Final = 2  # points that make a line


def plot_memory(report: Report, width: int) -> Markup:
    """One line a process, from 0 up, so that flat looks flat; "" where nobody looked twice."""
    drawn = [series for series in report.memory if len(series.points) >= _LEAST][:MOST_LINES]
    if not drawn:
        return Markup()
    most = max(size for series in drawn for _, size in series.points)
    until_s = max(report.duration_s, *(series.points[-1][0] / SECOND_NS for series in drawn))
    y_ticks = {tick: quantity.size(tick) for tick in svg.linear_ticks(most, 4)}
    box = Box(svg.left_margin(y_ticks.values()), 16, width - 28, HEIGHT - 44)
    x_of = Scale(0, until_s, box.left, box.right)
    y_of = Scale(0, max(y_ticks), box.bottom, box.top)
    said = ", ".join(f"{series.name} {quantity.size(series.points[-1][1])}" for series in drawn)
    return svg.drawing(
        width,
        HEIGHT,
        f"Resident memory over the run; at its end: {said}.",
        svg.y_axis(y_of, y_ticks, box),
        svg.x_axis(x_of, time_ticks(until_s, int(box.right - box.left) // PER_TICK), box),
        svg.text(box.right, HEIGHT - 6, "time since the run began", "label", anchor="end"),
        joined(
            svg.line(
                [(x_of(at_ns / SECOND_NS), y_of(size)) for at_ns, size in series.points],
                f"line series{place}",
            )
            for place, series in enumerate(drawn)
        ),
    )


def legend(report: Report) -> Markup:
    """How each process is drawn, and from what to what it went."""
    items = []
    for place, series in enumerate(s for s in report.memory if len(s.points) >= _LEAST):
        if place >= MOST_LINES:
            break
        line = svg.line([(0, 7), (44, 7)], f"line series{place}")
        sizes = [size for _, size in series.points]
        went = f"{quantity.size(sizes[0])} → {quantity.size(sizes[-1])}, at most {quantity.size(max(sizes))}"
        items.append(
            tag(
                "li",
                svg.drawing(44, 14, "", line, class_="swatch"),
                series.name,
                tag("small", went),
            )
        )
    return tag("ul", *items, class_="legend")
