"""Locust as a process of its own: the same as running the scenario by hand."""

import os
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

from streamgauge.cli.interruption import Interruptions, ending_with_us, kill
from streamgauge.plan import PLAN_FILE, Plan
from streamgauge.report.redact import names_a_secret, redacted

_MOST_SHOWN: Final = 2_000  # characters of a command
_MARGIN_S: Final = 60  # beyond duration and drain: what Locust may take to begin, and to write the report
SECRET_VARIABLE: Final = "STREAMGAUGE_SECRET"  # noqa: S105 - the name of a variable
_HIDDEN: Final = ("--secret", "--prompt")  # whose values are for the target alone


class Overdue(Exception):
    """The generator did not end by itself; the text says after how long."""


def run_locust(
    locustfile: Path,
    plan: Plan,
    folder: Path,
    secret: str,
    processes: int,
    interruptions: Interruptions,
    *,
    quiet: bool = False,
    cast: Path | None = None,
) -> int:
    """Run the plan that lies in `folder` to its end; returns Locust's exit code, or raises `Overdue`.

    With a `cast` its users are those of that file. It is in a session of its own, where Ctrl-C does not
    reach it but through `interruptions`.
    """
    command = locust_command(locustfile, plan, folder)
    command += ["--cast", str(cast)] if cast else []
    if processes > 1:
        # not Locust's own port: two runs on one machine must not take each other's workers
        port = str(_free_port())
        command += ["--processes", str(processes), "--master-bind-port", port, "--master-port", port]
    typed = shown([Path(sys.argv[0]).name, *sys.argv[1:]])
    environment = {**os.environ, SECRET_VARIABLE: secret, "STREAMGAUGE_COMMAND": typed}
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if quiet else None,
        start_new_session=True,
        preexec_fn=ending_with_us(signal.SIGTERM),  # noqa: PLW1509 - there is no other thread here
    )
    interruptions.belong_to(process)
    ending_s = plan.drain + plan.linger + _MARGIN_S
    return await_end(process, plan.duration + ending_s, ending_s)


def locust_command(locustfile: Path, plan: Plan, folder: Path) -> list[str]:
    """What runs the plan that lies in `folder` in one process."""
    command = [sys.executable, "-m", "locust", "-f", str(locustfile), "--headless"]
    command += ["--users", str(plan.users), "--spawn-rate", f"{plan.spawn_rate:g}"]
    # not Locust's own --run-time, which takes whole seconds only
    command += ["--lasts", f"{plan.duration}", "--host", plan.target]
    command += ["--plan", str(folder / PLAN_FILE), "--out", str(folder)]
    # without Locust's own statistics: the terminal's last lines are the verdict
    return [*command, "--only-summary", "--verdict-only", "--loglevel", "ERROR"]


def await_end(process: subprocess.Popen[bytes], within_s: float, drain_s: float) -> int:
    """Its exit code; who has not ended `within_s` is told to, and killed where that takes over `drain_s`.

    Raises `Overdue` for those two: what ended so late is not the planned load.
    """
    try:
        return process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.terminate()
    try:
        process.wait(drain_s)
    except subprocess.TimeoutExpired:
        kill(process)
        process.wait()
        raise Overdue(f"it had not ended after {within_s:,.0f} s, nor when told to, and was killed") from None
    raise Overdue(f"it had not ended after {within_s:,.0f} s, and was told to")


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def shown(command: list[str]) -> str:
    """The command as it was typed, but for its secret and what is asked."""
    words, hide = [], False
    for word in command:
        flag, given, _ = word.partition("=")
        hidden = flag in _HIDDEN or (flag.startswith("--") and names_a_secret(flag))
        if hide:
            words.append("…")
        elif hidden and given:
            words.append(f"{flag}=…")
        else:
            words.append(redacted(word, _MOST_SHOWN))  # before it is quoted: a quote is no part of a secret
        hide = hidden and not given and not hide
    text = shlex.join(words)
    left_out = len(text) - _MOST_SHOWN
    return f"{text[:_MOST_SHOWN]}… (+{left_out:,} characters)" if left_out > 0 else text
