"""The power study as a picture: what share of recordings is caught, by rate and by size."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from streamgauge.report import svg
from streamgauge.report.markup import Markup, tag
from streamgauge.report.svg import Box, Scale
from streamgauge.study.mutation import Mutation
from streamgauge.study.power import ENOUGH, Point

_WIDTH: Final = 720
_HEIGHT: Final = 320
_MARGIN: Final = 60
_LEGEND: Final = 150
_COLOURS: Final = {
    Mutation.LEAK: "#dc2626",
    Mutation.LEAK_BY_RUN: "#ea580c",
    Mutation.LOSS: "#2563eb",
    Mutation.REPEAT: "#059669",
    Mutation.SWAP: "#7c3aed",
    Mutation.CORRUPTION: "#0891b2",
}
_STYLE: Final = (
    "text{font:12px sans-serif;fill:#555}.grid{stroke:#ddd}.axis{stroke:#999}"
    ".chance{fill:none;stroke:#999;stroke-dasharray:4 3}.enough{stroke:#dc2626;stroke-dasharray:1 3}"
)
_STEPS: Final = 60  # of the dashed line
_APART: Final = 3.0  # pixels between the dots of one rate


def plot_power(points: Sequence[Point]) -> str:
    """An SVG: each point with its 95 % interval, and dashed how often chance has it happen at all."""
    box = Box(_MARGIN, 30, _WIDTH - _LEGEND, _HEIGHT - 50)
    low, high = min(point.rate for point in points) / 1.5, max(point.rate for point in points) * 1.5
    x = Scale(low, high, box.left, box.right, logarithmic=True)
    y = Scale(0, 1, box.bottom, box.top)
    ticks = {tick: f"1 in {1 / tick:,.0f}" for tick in svg.log_ticks(low, high, 5)}
    parts = [
        tag("style", _STYLE),
        svg.y_axis(y, {share / 4: f"{share * 25} %" for share in range(5)}, box),
        svg.x_axis(x, ticks, box),
        svg.line([(box.left, y(ENOUGH)), (box.right, y(ENOUGH))], "enough"),
        *_chances(points, x, y),
        *(_dot(point, x, y) for point in points),
        *_legend(box),
        svg.text(box.left, 16, "share of recordings caught, by how often an event is struck"),
    ]
    label = (
        "Share of mutated recordings that are caught, by the rate of the mutation and the recording's size"
    )
    picture = str(svg.drawing(_WIDTH, _HEIGHT, label, *parts))
    return picture.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) + "\n"


def _chances(points: Sequence[Point], x: Scale, y: Scale) -> Iterator[Markup]:
    """Of each size how often something is struck at all, where there are points of it."""
    for events, each in groupby(sorted(points, key=lambda point: point.events), lambda p: p.events):
        rates = [point.rate for point in each]
        first, last = min(rates), max(rates)
        between = [first * (last / first) ** (step / _STEPS) for step in range(_STEPS + 1)]
        yield svg.line([(x(rate), y(1 - (1 - rate) ** events)) for rate in between], "chance")
        at = first * (last / first) ** 0.1
        yield svg.text(x(at) + 14, y(1 - (1 - at) ** events) + 14, f"{events:,} events")


def _dot(point: Point, x: Scale, y: Scale) -> Markup:
    """Beside its fellows of the same rate, so that none hides another."""
    place = list(Mutation).index(point.mutation) - (len(Mutation) - 1) / 2
    at, (low, high) = x(point.rate) + place * _APART, point.interval
    said = f"{point.mutation}: {point.caught} of {point.recordings}, 1 in {1 / point.rate:,.0f} events"
    colour = _COLOURS[point.mutation]
    return tag(
        "g",
        tag("title", said),
        tag("path", d=f"M{at:.1f},{y(low):.1f}V{y(high):.1f}", stroke=colour),
        tag("circle", cx=f"{at:.1f}", cy=f"{y(point.caught / point.recordings):.1f}", r="2.5", fill=colour),
    )


def _legend(box: Box) -> Iterator[Markup]:
    for line, (mutation, colour) in enumerate(_COLOURS.items()):
        y = box.top + 10 + 18 * line
        yield tag("circle", cx=f"{box.right + 16:g}", cy=f"{y - 4:g}", r="3.5", fill=colour)
        yield svg.text(box.right + 26, y, mutation)
    y = box.top + 10 + 18 * len(_COLOURS)
    yield svg.line([(box.right + 8, y - 4), (box.right + 24, y - 4)], "chance")
    yield svg.text(box.right + 26, y, "struck at all")
