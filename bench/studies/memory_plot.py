"""Draws the memory of a run's processes: `python bench/studies/memory_plot.py RESULT docs/soak.svg`."""

import sys
from pathlib import Path
from typing import Final

from streamgauge.report.plot_memory import plot_memory
from streamgauge.report.render_json import read_json

WIDTH: Final = 720
# As the report draws it; a picture has no page to take its colours from.
STYLE: Final = """
text { font: 12px sans-serif; fill: #57606a }
line { stroke: #d0d7de }
polyline, path { fill: none; stroke-width: 2 }
.series0 { stroke: #0b3d91 } .series1 { stroke: #bc4c00 }
.series2 { stroke: #1a7f37 } .series3 { stroke: #8250df }
svg { background: white }
"""


def main() -> None:
    """Write the picture, and say which line is whose."""
    result, picture = map(Path, sys.argv[1:])
    report = read_json((result / "report.json").read_bytes())
    drawn = str(plot_memory(report, WIDTH))
    begin, rest = drawn.split(">", 1)
    head = begin.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    picture.write_text(f"{head}><style>{STYLE}</style>{rest}\n", encoding="utf-8")
    for series in report.memory:
        sizes = [size for _, size in series.points]
        print(f"{series.name}: {sizes[0] / 1e6:.1f} MB at first, {sizes[-1] / 1e6:.1f} MB at last")  # noqa: T201


if __name__ == "__main__":
    main()
