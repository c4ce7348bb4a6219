"""The peer `artillery`: its command with a processor of our own; its own report says the times."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from peers.clients.common import SOCKETS, TARGET, say

HERE: Final = Path(__file__).parent
ARRIVING_S: Final = 2


def main() -> None:
    """Run it as `artillery.py COMMAND...`, then read its report."""
    with tempfile.TemporaryDirectory() as folder:
        script, report = Path(folder, "peer.json"), Path(folder, "report.json")
        script.write_text(json.dumps(plan()))
        environment = {
            **os.environ,
            "PEER_COMMON": str(HERE / "common.js"),
            "ARTILLERY_DISABLE_TELEMETRY": "true",
        }
        command = [*sys.argv[1:], "run", "--quiet", "--output", str(report), str(script)]
        done = subprocess.run(command, check=False, env=environment, stdout=sys.stderr)
        if done.returncode != 0 or not report.exists():
            sys.exit(f"artillery ended with {done.returncode}")
        runs = json.loads(report.read_bytes())["aggregate"]["summaries"].get("run_ms", {})
    say(runs.get("median"), runs.get("p99"))


def plan() -> dict[str, object]:
    """A test script: all users arrive, and stay."""
    arrivals = {"duration": ARRIVING_S, "arrivalCount": SOCKETS}
    flow = [{"connect": {"function": "connect"}}, {"function": "talk"}]
    return {
        "config": {"target": TARGET, "processor": str(HERE / "artillery.js"), "phases": [arrivals]},
        "scenarios": [{"engine": "ws", "flow": flow}],
    }


if __name__ == "__main__":
    main()
