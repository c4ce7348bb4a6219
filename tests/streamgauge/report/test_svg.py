import re

import pytest

from streamgauge.report import svg
from streamgauge.report.svg import Box, Scale

BOX = Box(50, 10, 250, 110)


def test_a_linear_scale() -> None:
    scale = Scale(0, 10, 100, 200)
    assert [scale(value) for value in (0, 5, 10)] == [100, 150, 200]


def test_a_logarithmic_scale_that_grows_upwards() -> None:
    scale = Scale(1, 100, 110, 10, logarithmic=True)
    assert [scale(value) for value in (1, 10, 100)] == [110, 60, 10]


def test_what_lies_beyond_is_drawn_at_the_end() -> None:
    scale = Scale(1, 100, 0, 50, logarithmic=True)
    assert (scale(0), scale(1_000)) == (0, 50)


@pytest.mark.parametrize(
    ("value", "up", "down"),
    [
        (1, 1, 1),
        (1.1, 2, 1),
        (2, 2, 2),
        (49, 50, 20),
        (50, 50, 50),
        (51, 100, 50),
        (1e6, 1e6, 1e6),
        (0.3, 0.5, 0.2),
    ],
)
def test_round_numbers_around_a_value(value: float, up: float, down: float) -> None:
    assert svg.round_up(value) == pytest.approx(up)
    assert svg.round_down(value) == pytest.approx(down)


@pytest.mark.parametrize(
    ("high", "ticks"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (3, [0, 1, 2, 3]),
        (7, [0, 2, 4, 6, 8]),
        (2_051, [0, 500, 1_000, 1_500, 2_000, 2_500]),
        (1_000_000, [0, 200_000, 400_000, 600_000, 800_000, 1_000_000]),
    ],
)
def test_linear_ticks_are_round_whole_numbers(high: float, ticks: list[float]) -> None:
    assert svg.linear_ticks(high, 5) == ticks


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (1, 2, [1, 1.2, 1.4, 1.6, 1.8, 2]),
        (1, 10, [1, 1.5, 2, 3, 4, 5, 7, 10]),
        (20, 2_000, [20, 50, 100, 200, 500, 1_000, 2_000]),
        (1, 10_000, [1, 10, 100, 1_000, 10_000]),
        (1, 1e12, [1, 100, 1e4, 1e6, 1e8, 1e10, 1e12]),
    ],
)
def test_log_ticks_are_as_dense_as_there_is_room(low: float, high: float, ticks: list[float]) -> None:
    assert svg.log_ticks(low, high, 8) == ticks


def test_lines_bands_and_stairs() -> None:
    assert svg.line([(0, 1), (2.25, 3)], "grid") == '<path d="M0,1L2.2,3" class="grid"></path>'
    assert 'd="M0,1L9,1L9,5L0,5Z"' in svg.band([(0, 5), (9, 5)], [(0, 1), (9, 1)], "band")
    assert svg.stairs([0, 10, 30], [7, 8]) == [(0, 7), (10, 7), (10, 8), (30, 8)]


def test_a_shape_may_say_something() -> None:
    assert "<title>a &lt; b</title>" in svg.shape([(0, 0)], "point", "a < b")
    assert "<title>" not in svg.shape([(0, 0)], "point")


def test_a_y_axis_labels_every_tick_left_of_its_line() -> None:
    axis = svg.y_axis(Scale(0, 10, 110, 10), {0: "0", 10: "ten"}, BOX)
    assert 'd="M50,110L250,110"' in axis
    assert '<text x="42" y="14" class="tick" text-anchor="end">ten</text>' in axis


def test_an_x_axis_labels_ticks_where_there_is_room() -> None:
    ticks = {0.0: "zero", 1.0: "one", 5.0: "five", 10.0: "ten"}
    axis = svg.x_axis(Scale(0, 10, 50, 250), ticks, BOX)
    assert re.findall(r">(\w+)</text>", axis) == ["zero", "five", "ten"]
    assert axis.count('class="grid"') == 4


def test_the_margin_holds_the_longest_label() -> None:
    assert svg.left_margin(["1", "10 ms"]) == 12 + 5 * svg.CHARACTER


def test_a_drawing_says_what_it_shows_or_is_an_ornament() -> None:
    assert 'viewBox="0 0 9 7" width="9" height="7" role="img" aria-label="dots"' in svg.drawing(9, 7, "dots")
    assert 'aria-hidden="true"' in svg.drawing(9, 7, "")
