"""Real commands, as a user starts and stops them."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from streamgauge.report.model import Report
from streamgauge.report.render_json import read_json

ROOT = Path(__file__).parents[2]
SECRET = "a-secret-of-the-tests-and-of-nothing-else"
TIMEOUT_S = 90

UNDOUBTED = """
[doubts]
generator_cpu = 1_000
run_queue_wait = 1
steal = 1
loop_lag_p99 = 1e9
lag_p99 = 1e9
gc_pause_max = 1e9
slip_p99 = 1e9
unsent = 1
warm_up = 1e9
workers_disagree = 1e9
littles_law = 1
"""  # the end of a plan whose verdict is to be the same on a machine that has no time for it


class Done(NamedTuple):
    """A command that ended."""

    code: int
    out: str
    err: str
    results: Path

    @property
    def folder(self) -> Path:
        """The one result folder that it left."""
        (folder,) = (path for path in self.results.iterdir() if path.is_dir())  # trend.jsonl lies beside it
        return folder

    @property
    def report(self) -> Report:
        return read_json((self.folder / "report.json").read_bytes())

    @property
    def failing(self) -> set[str]:
        """The names of the rules that failed."""
        return {verdict.rule.value for verdict in self.report.verdicts if verdict.outcome == "fail"}


def free_port() -> int:
    """A port that nobody listens on, as of now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Started:
    """A command under way, in a process group of its own as in a terminal."""

    def __init__(self, command: list[str], where: Path, env: dict[str, str]) -> None:
        self.where = where
        self.process = subprocess.Popen(
            command,
            cwd=where,
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def interrupt(self) -> None:
        """Ctrl-C: the terminal tells the whole group."""
        self.signal_all(signal.SIGINT)

    def signal_all(self, number: int) -> None:
        """To the whole group."""
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """End the whole group, if it has not ended."""
        if self.process.poll() is None:
            self.signal_all(signal.SIGKILL)
        self.process.communicate()

    def wait(self) -> Done:
        try:
            out, err = self.process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise
        return Done(self.process.returncode, out, err, self.where / "results")

    def wait_until_events_flow(self, pattern: str = "results/*/recording/*.sgr") -> None:
        """Until the first line of progress."""
        recordings = self.where.glob(pattern)
        deadline = time.monotonic() + TIMEOUT_S
        while not any(path.stat().st_size > 10_000 for path in recordings):
            assert time.monotonic() < deadline, "no recording grew"
            time.sleep(0.2)
            recordings = self.where.glob(pattern)


class Server(NamedTuple):
    """A reference server under way."""

    address: str
    process: subprocess.Popen[str]


Start = Callable[..., Started]
Run = Callable[..., Done]
