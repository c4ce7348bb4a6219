"""Runs Artillery with its plan, and says what its report counts: `artillery.py COMMAND…`."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent


def main() -> None:
    """End as Artillery does."""
    with tempfile.TemporaryDirectory() as folder:
        script, report = Path(folder, "plan.json"), Path(folder, "report.json")
        script.write_text(json.dumps(plan()))
        environment = {
            **os.environ,
            "PEER_COMMON": str(HERE / "common.js"),
            "ARTILLERY_DISABLE_TELEMETRY": "true",
        }
        command = [*sys.argv[1:], "run", "--output", str(report), str(script)]
        code = subprocess.run(command, check=False, env=environment, stdout=sys.stderr).returncode
        counters = json.loads(report.read_bytes())["aggregate"]["counters"] if report.exists() else {}
    failed = counters.get("runs.failed", 0) + counters.get("vusers.failed", 0)
    told = {"passed": counters.get("runs.passed", 0), "failed": failed}
    print(json.dumps(told))  # noqa: T201 - it is what the comparison reads
    sys.exit(code)


def plan() -> dict[str, Any]:
    """Ten users arrive within a second, and stay; no user and no run may fail."""
    return {
        "config": {
            "target": os.environ["PEER_TARGET"],
            "processor": str(HERE / "artillery.js"),
            "phases": [{"duration": 1, "arrivalCount": 10}],
            "plugins": {"ensure": {}},
            "ensure": {
                "thresholds": [{"vusers.failed": 1}],
                "conditions": [{"expression": "vusers.failed == 0 and (runs.failed or 0) == 0"}],
            },
        },
        "scenarios": [{"engine": "ws", "flow": [{"connect": {"function": "connect"}}, {"function": "talk"}]}],
    }


if __name__ == "__main__":
    main()
