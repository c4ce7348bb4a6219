"""Locust as a process of its own: the same as running the scenario by hand."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from streamgauge.plan import PLAN_FILE, Plan


def run_locust(locustfile: Path, plan: Plan, folder: Path, secret: str, processes: int) -> int:
    """Run the plan that lies in `folder` to its end; returns Locust's exit code.

    Ctrl-C reaches Locust itself, which drains.
    """
    command = [sys.executable, "-m", "locust", "-f", str(locustfile), "--headless"]
    command += ["--users", str(plan.users), "--spawn-rate", f"{plan.spawn_rate:g}"]
    command += ["--run-time", f"{max(1, round(plan.duration))}s", "--host", plan.target]
    command += ["--plan", str(folder / PLAN_FILE), "--out", str(folder)]
    # Locust's own statistics go to a file: the terminal's last lines are the verdict
    command += ["--only-summary", "--json-file", str(folder / "locust"), "--loglevel", "ERROR"]
    if processes > 1:
        command += ["--processes", str(processes)]
    typed = shlex.join([Path(sys.argv[0]).name, *_without_secret(sys.argv[1:])])
    environment = {**os.environ, "STREAMGAUGE_SECRET": secret, "STREAMGAUGE_COMMAND": typed}
    process = subprocess.Popen(command, env=environment)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def _without_secret(arguments: list[str]) -> list[str]:
    """The arguments, fit to be shown."""
    shown, hide = [], False
    for argument in arguments:
        if hide:
            shown.append("…")
        elif argument.startswith("--secret="):
            shown.append("--secret=…")
        else:
            shown.append(argument)
        hide = argument == "--secret"
    return shown
