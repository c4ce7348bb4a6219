"""What an event costs this suite as sockets grow: `python bench/studies/growth.py docs/growth.svg`.

Sizes take turns in random order, each run is saturated by the source of events in
`bench/peers`, source and generator have a core each, and events and CPU time are
counted from outside (docs/generators.md). It prints a table, and draws it.
"""

import argparse
import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from peers.compare import FOLDER
from peers.counting import Sample
from peers.generators import GENERATORS, OURS, filled
from peers.installing import install
from peers.launching import Bench, Peer, measure, memory_of_one_socket
from peers.source import build
from streamgauge.report import svg
from streamgauge.report.svg import Box, Scale

WIDTH, HEIGHT, LEFT = 640, 240, 60
STYLE = """text{font:12px sans-serif;fill:#555}.grid{stroke:#ddd}.axis{stroke:#999}
path{fill:none;stroke:#2563eb;stroke-width:2}circle{fill:#2563eb}"""


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--sockets", type=int, nargs="+", default=[1000, 2000, 5000, 10_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--settling", type=float, default=5)
    given = parser.parse_args()
    ours = next(generator for generator in GENERATORS if generator.name == OURS)
    peer = Peer(*filled(ours, {**install(ours, FOLDER), "sockets": "{sockets}"}))
    source_core, generator_core, *_ = sorted(os.sched_getaffinity(0))

    def bench(sockets: int) -> Bench:
        return Bench(build(), source_core, generator_core, sockets, given.settling, given.seconds)

    one_socket = memory_of_one_socket(bench(2), peer)
    rng = random.Random(1)  # noqa: S311 - an order, no secret
    found: dict[int, list[Sample]] = {sockets: [] for sockets in given.sockets}
    for _ in range(given.rounds):
        for sockets in rng.sample(given.sockets, len(given.sockets)):
            found[sockets].append(measure(bench(sockets), peer, one_socket))
    costs = {sockets: [1e6 / s.events_per_cpu_s for s in samples] for sockets, samples in found.items()}
    smallest = median(costs[min(costs)])
    print("| sockets | µs of generator CPU an event | to the first |")  # noqa: T201 - the command's output
    print("|---:|---:|---:|")  # noqa: T201
    for sockets, cost in costs.items():
        spread = f"{median(cost):.1f} [{min(cost):.1f}–{max(cost):.1f}]"
        print(f"| {sockets:,} | {spread} | {median(cost) / smallest:.2f} |")  # noqa: T201
    given.picture.write_text(picture(costs), encoding="utf-8")


def picture(costs: Mapping[int, Sequence[float]]) -> str:
    """The costs over the number of sockets, as SVG: every launch a dot, the medians joined."""
    box = Box(LEFT, 20, WIDTH - 20, HEIGHT - 40)
    ticks = svg.linear_ticks(max(map(max, costs.values())), 5)
    y = Scale(0, ticks[-1], box.bottom, box.top)
    x = Scale(0, max(costs), box.left, box.right)
    dots = [
        f'<circle cx="{x(sockets):.1f}" cy="{y(cost):.1f}" r="3"/>'
        for sockets, each in costs.items()
        for cost in each
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"><style>{STYLE}</style>',
            str(svg.y_axis(y, {tick: f"{tick:g} µs" for tick in ticks}, box)),
            str(svg.x_axis(x, {sockets: f"{sockets:,}" for sockets in costs}, box)),
            str(svg.line([(x(n), y(median(each))) for n, each in sorted(costs.items())], "median")),
            *dots,
            str(svg.text(box.left, 12, "generator CPU an event, by sockets")),
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    main()
