"""How sure `streamgauge run --scenario overhead` is of itself, by doing it again and again.

    python bench/studies/overhead_repeats.py /tmp/overhead                    # 20 runs of 60 s
    python bench/studies/overhead_repeats.py /tmp/overhead --duration 20s     # shorter ones
    python bench/studies/overhead_repeats.py /tmp/overhead --table            # of what lies there

Each run has a server of its own, and an order of its own. What was begun is gone on with.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

KINDS: Final = {"cpu": "server CPU", "emission": "run's own time", "execution": "run time"}
WIDE: Final = 0.1  # of the value: what an interval should keep within, on either side


def main() -> None:
    """Make the runs that are missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--duration", default="60s")
    parser.add_argument("--users", type=int, default=32)
    parser.add_argument("--table", action="store_true", help="run nothing")
    given = parser.parse_args()
    if not given.table:
        for repeat in range(len(reports(given.folder)), given.repeats):
            measure(given.folder, given.duration, given.users, seed=repeat)
    for line in table(reports(given.folder)):
        print(line)  # noqa: T201 - it is the command's output


def measure(folder: Path, duration: str, users: int, seed: int) -> None:
    """One run; its verdict is no concern of this study, its report is."""
    command = [sys.executable, "-m", "streamgauge", "run", "--scenario", "overhead"]
    command += ["--duration", duration, "--users", str(users), "--seed", str(seed), "--results", str(folder)]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def reports(folder: Path) -> list[dict[str, Any]]:
    """What the runs left, in their order."""
    return [json.loads(path.read_bytes()) for path in sorted(folder.glob("*/report.json"))]


def table(runs: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A line a run, and what they come to."""
    yield "| repeat | blocks | " + " | ".join(f"{name} | A/A" for name in KINDS.values()) + " |"
    yield "|---:|" + "---:|" * (1 + 2 * len(KINDS))
    found = [run["overhead"] for run in runs if run["overhead"] and run["overhead"]["emission"]]
    for number, one in enumerate(found, 1):
        cells = " | ".join(cell for kind in KINDS for cell in _cells(one[kind]))
        yield f"| {number} | {one['blocks']} | {cells} |"
    yield ""
    for kind, name in KINDS.items():
        costs = [one[kind] for one in found if one[kind]]
        if not costs:
            continue
        widths = sorted(_width(cost) for cost in costs)
        values = [cost["events"]["value_ns"] / 1e3 for cost in costs]
        within = sum(width <= WIDE for width in widths)
        zero = sum(cost["control"]["low_ns"] <= 0 <= cost["control"]["high_ns"] for cost in costs)
        yield (
            f"{name}: {min(values):.0f} to {max(values):.0f} µs, median {median(values):.0f}; half interval "
            f"{widths[0]:.1%} to {widths[-1]:.1%} of the value, median {median(widths):.1%}, "
            f"within {WIDE:.0%} in {within} of {len(costs)}; A/A holds zero in {zero} of {len(costs)}"
        )


def _cells(cost: dict[str, Any] | None) -> tuple[str, str]:
    if cost is None:
        return "", ""
    events, control = cost["events"], cost["control"]
    half = (events["high_ns"] - events["low_ns"]) / 2e3
    low, high = control["low_ns"] / 1e3, control["high_ns"] / 1e3
    mark = "" if low <= 0 <= high else " **no zero**"
    return f"{events['value_ns'] / 1e3:.0f} ± {half:.0f} µs", f"{low:.0f} … {high:.0f}{mark}"


def _width(cost: dict[str, Any]) -> float:
    events = cost["events"]
    return float(events["high_ns"] - events["low_ns"]) / 2 / abs(float(events["value_ns"]))


if __name__ == "__main__":
    main()
