import re
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from streamgauge.core.finding import Finding
from streamgauge.report.model import Report
from streamgauge.report.plot_series import HEIGHT, Bin, bin_seconds, bins, plot_series, time_ticks

Make = Callable[..., Report]
Gap = Callable[..., Finding]


@pytest.fixture(scope="module")
def report(make: Make) -> Report:
    """Four seconds from 5.25 s on."""
    return replace(make(), began_ns=5_250_000_000, duration_s=4.0, seconds=(10, 40, 60, 20, 5))


def test_seconds_are_those_of_the_clock(report: Report) -> None:
    assert bins(report, 1)[:2] == (Bin(0, 0.75, 10, 10, 10), Bin(0.75, 1.75, 40, 40, 40))
    assert bins(report, 1)[-1].to_s == 4.75


def test_bins_of_several_seconds_keep_their_extremes(report: Report) -> None:
    assert bins(report, 2) == (
        Bin(0, 1.75, 25, 10, 40),
        Bin(1.75, 3.75, 40, 20, 60),
        Bin(3.75, 4.75, 5, 5, 5),
    )


@pytest.mark.parametrize(("seconds", "size"), [(0, 1), (1, 1), (120, 1), (121, 2), (86_400, 720)])
def test_a_step_takes_two_and_a_half_pixels(report: Report, seconds: int, size: int) -> None:
    assert bin_seconds(replace(report, seconds=(1,) * seconds), 300) == size


@pytest.mark.parametrize(
    ("until_s", "labels"),
    [
        (0.5, ["0 s"]),
        (4, ["0 s", "1 s", "2 s", "3 s", "4 s"]),
        (30, ["0 s", "5 s", "10 s", "15 s", "20 s", "25 s", "30 s"]),
        (300, ["0 min", "1 min", "2 min", "3 min", "4 min", "5 min"]),
        (3_600 * 5, ["0 h", "1 h", "2 h", "3 h", "4 h", "5 h"]),
        (3_600 * 1_000, ["0 h", "1,000 h"]),
    ],
)
def test_times_are_round_and_of_one_unit(until_s: float, labels: list[str]) -> None:
    assert list(time_ticks(until_s, 6).values()) == labels


def test_a_known_second_is_drawn_where_it_belongs(report: Report) -> None:
    (line,) = re.findall(r'd="([^"]*)" class="line steps series0"', plot_series(report, 500))
    # the axes: 0 to 60 events, 2 digits wide; 0 to 4.75 s
    left, right, top, bottom = 27, 472, 16, HEIGHT - 44
    x = left + (right - left) * 0.75 / 4.75
    assert line.startswith(f"M{left},{bottom - (bottom - top) * 10 / 60:.1f}L{x:.1f},")
    assert f"L{x:.1f},{bottom - (bottom - top) * 40 / 60:.1f}L" in line


def test_ticks_of_events_and_time(report: Report) -> None:
    labels = re.findall(r'class="tick"[^>]*>([^<]*)<', plot_series(report, 500))
    assert labels == ["0", "20", "40", "60", "0 s", "1 s", "2 s", "3 s", "4 s"]


def test_a_band_stands_only_where_steps_hold_several_seconds(report: Report) -> None:
    assert "band" not in plot_series(report, 500)
    long = plot_series(replace(report, seconds=(1, 9) * 1_000, duration_s=2_000), 500)
    assert "band series0" in long
    assert "in steps of 10 s" in long
    assert len(long) < 20_000


def test_findings_are_marked_when_they_were_made(make: Make, gap: Gap) -> None:
    plot = plot_series(make(gap("r-1"), gap("r-2")), 500)  # both at 1.5 s: one mark
    assert plot.count('class="finding"') == 1
    assert "<title>seq-contiguous: r-1 of u17: gap: seq 4 never came</title>" in plot
    assert 'class="finding"' not in plot_series(make(replace(gap(), at_ns=0)), 500)


def test_no_events_no_plot(make: Make) -> None:
    assert plot_series(make(runs=0), 500) == ""
