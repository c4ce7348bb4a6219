"""Drawing in small pieces: scales, ticks, axes, lines, steps and bands; no more than the plots need.

Lengths are pixels; colours and strokes are the page's, by class.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from msgspec import Struct

from streamgauge.report.markup import Markup, joined, tag

CHARACTER: Final = 7.5  # at most the mean width of one in a tick's label
_APART: Final = 8  # between two labels of an axis
_DENSITIES: Final = (  # of the ticks between two powers of ten
    (1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9),
    (1, 1.5, 2, 3, 4, 5, 7),
    (1, 2, 5),
    (1,),
)

Point = tuple[float, float]


class Scale(Struct, frozen=True):
    """Draws `low` at the pixel `first` and `high` at `last`; what lies beyond is drawn at the end."""

    low: float
    high: float
    first: float
    last: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """Where the value is drawn."""
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.first + share * (self.last - self.first)


class Box(NamedTuple):
    """The area inside the axes."""

    left: float
    top: float
    right: float
    bottom: float


def round_up(value: float, steps: Sequence[float] = (1, 2, 5)) -> float:
    """The least of `steps` times a power of ten that is not below the value."""
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in steps if step * power >= value), 10 * power)


def round_down(value: float) -> float:
    """The greatest of 1, 2 and 5 times a power of ten that is not above the value."""
    power = 10.0 ** math.floor(math.log10(value))
    return max((step * power for step in (1, 2, 5) if step * power <= value), default=power / 2)


def linear_ticks(high: float, most: int) -> list[float]:
    """Round numbers from 0 to the first that is not below `high`, in at most `most` whole steps."""
    step = max(1.0, round_up(max(high, 1.0) / most))
    return [number * step for number in range(max(1, math.ceil(high / step)) + 1)]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers between the two, as dense as at most `most` of them can be."""
    powers = [10.0**power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    for steps in _DENSITIES:
        ticks = [step * power for power in powers for step in steps if low <= step * power <= high]
        if len(ticks) <= most:
            return ticks
    return ticks[:: math.ceil(len(ticks) / most)]


def line(points: Iterable[Point], class_: str) -> Markup:
    """Straight from point to point."""
    return tag("path", d=_path(points), class_=class_)


def band(lower: Sequence[Point], upper: Sequence[Point], class_: str) -> Markup:
    """The area between two lines."""
    return shape((*upper, *reversed(lower)), class_)


def shape(corners: Iterable[Point], class_: str, said: str = "") -> Markup:
    """A filled area; `said` is shown where a pointer rests on it."""
    return tag("path", *([tag("title", said)] if said else ()), d=f"{_path(corners)}Z", class_=class_)


def stairs(edges: Sequence[float], heights: Sequence[float]) -> list[Point]:
    """The corners of a line that keeps each height from one edge to the next."""
    return [(x, height) for height, span in zip(heights, pairwise(edges), strict=True) for x in span]


def _path(points: Iterable[Point]) -> str:
    return "M" + "L".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def text(x: float, y: float, words: str, class_: str = "tick", anchor: str = "start") -> Markup:
    """Words that begin, end or are centred at a point of their base line."""
    return tag("text", words, x=_number(x), y=_number(y), class_=class_, text_anchor=anchor)


def y_axis(scale: Scale, ticks: Mapping[float, str], box: Box) -> Markup:
    """A grid line and a label at each tick."""
    return joined(
        part
        for value, label in ticks.items()
        for y in [scale(value)]
        for part in (
            line([(box.left, y), (box.right, y)], "grid"),
            text(box.left - 8, y + 4, label, anchor="end"),
        )
    )


def x_axis(scale: Scale, ticks: Mapping[float, str], box: Box) -> Markup:
    """A grid line at each tick, and a label where there is room for it."""
    parts: list[Markup] = []
    free = -math.inf
    for value, label in ticks.items():
        x, half = scale(value), len(label) * CHARACTER / 2
        parts.append(line([(x, box.top), (x, box.bottom)], "grid"))
        if x - half >= free:
            parts.append(text(x, box.bottom + 18, label, anchor="middle"))
            free = x + half + _APART
    return joined((*parts, line([(box.left, box.bottom), (box.right, box.bottom)], "axis")))


def left_margin(labels: Iterable[str]) -> float:
    """The room that the labels of a y axis take."""
    return 12 + CHARACTER * max(map(len, labels))


def drawing(width: int, height: int, label: str, *parts: str, class_: str = "") -> Markup:
    """The whole; `label` says in words what it shows, and is "" for an ornament."""
    return tag(
        "svg",
        *parts,
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img" if label else None,
        aria_label=label,
        aria_hidden=None if label else "true",
        class_=class_,
    )
