"""The suite itself as a peer: `streamgauge run` with all its checks; its own report says the times."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from peers.clients.common import SECONDS, SOCKETS, TARGET, say

SPAWN_RATE: Final = 1000
STARTING_S: Final = 3  # of the duration: users arrive, and the source holds its greetings


def main() -> None:
    """One run, then what it reports of its runs."""
    with tempfile.TemporaryDirectory() as results:
        command = [
            sys.executable,
            "-m",
            "streamgauge",
            "run",
            "--plan",
            str(Path(__file__).with_name("suite.toml")),
        ]
        command += ["--target", TARGET, "--users", str(SOCKETS), "--spawn-rate", str(SPAWN_RATE)]
        command += ["--duration", f"{SECONDS + STARTING_S + SOCKETS / SPAWN_RATE:g}s", "--secret", "x"]
        done = subprocess.run([*command, "--results", results], check=False, stdout=sys.stderr)
        reports = list(Path(results).glob("*/report.json"))
        if done.returncode != 0 or not reports:
            sys.exit(f"streamgauge run ended with {done.returncode}")
        report = json.loads(reports[0].read_bytes())
    say(
        quantile_ms(report, "run time", 0.5),
        quantile_ms(report, "run time", 0.99),
        quantile_ms(report, "generator lag", 0.5),
    )


def quantile_ms(report: dict[str, Any], name: str, q: float) -> float | None:
    """A quantile of a duration; None where the sample does not carry it."""
    (duration,) = (duration for duration in report["durations"] if duration["name"] == name)
    value_ns = next(found["value_ns"] for found in duration["quantiles"] if found["q"] == q)
    return None if value_ns is None else value_ns / 1e6


if __name__ == "__main__":
    main()
