from collections.abc import Callable
from xml.etree import ElementTree as ET

from streamgauge.core.memory import Series
from streamgauge.report.model import Report
from streamgauge.report.plot_memory import MOST_LINES, legend, plot_memory

Make = Callable[..., Report]
SECOND = 1_000_000_000
MB = 1_000_000


def growing(name: str, *megabytes: int) -> Series:
    """Memory, second by second."""
    return Series(name, tuple((place * SECOND, size * MB) for place, size in enumerate(megabytes)))


def lines(markup: str) -> list[list[tuple[float, float]]]:
    """The corners of each line that is drawn."""
    paths = [path for path in ET.fromstring(markup).iter() if "line series" in path.get("class", "")]
    return [
        [(float(x), float(y)) for x, y in (point.split(",") for point in path.get("d", "")[1:].split("L"))]
        for path in paths
    ]


def test_more_memory_is_drawn_higher_and_flat_memory_flat(make: Make) -> None:
    report = make(memory=[growing("worker-1", 80, 80, 80)])
    (flat,) = lines(plot_memory(report, 900))
    assert len({y for _, y in flat}) == 1
    (grown,) = lines(plot_memory(make(memory=[growing("worker-1", 20, 50, 80)]), 900))
    heights = [y for _, y in grown]
    assert heights == sorted(heights, reverse=True)
    assert heights[-1] == flat[-1][1]


def test_processes_have_a_line_each_and_a_name(make: Make) -> None:
    report = make(memory=[growing("server", 40, 50, 45), growing("worker-1", 60, 61)])
    assert len(lines(plot_memory(report, 400))) == 2
    told = legend(report)
    assert "server" in told
    assert "40.0 MB → 45.0 MB, at most 50.0 MB" in told


def test_what_was_looked_at_once_makes_no_line(make: Make) -> None:
    assert not plot_memory(make(memory=[growing("server", 40)]), 900)
    assert not plot_memory(make(), 900)


def test_no_more_lines_are_drawn_than_can_be_told_apart(make: Make) -> None:
    report = make(memory=[growing(f"worker-{n}", n, n) for n in range(1, 9)])
    assert len(lines(plot_memory(report, 900))) == MOST_LINES
    assert legend(report).count("<li>") == MOST_LINES
