"""The server that a run starts for itself: the reference server, or the one of a command."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.interruption import ending_with_us
from streamgauge.plan import Plan
from streamgauge.report.redact import redacted
from streamgauge.wire import address_of

_START_S: Final = 20
_STOP_S: Final = 10
_LOOK_S: Final = 0.05
_REFERENCE: Final = (sys.executable, "-m", "reference_server", "--port", "0")
_MOST_SHOWN: Final = 500  # characters of its last words


@contextmanager
def started_server(
    secret: str, plan: Plan, log: Path, more: Sequence[str] = ()
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start the plan's server, else the reference server on a free port; stop it at the end.

    It is in a session of its own, where Ctrl-C does not reach it. Yields its address and
    process. Its log goes to the file `log`. Where the plan names a target, its command starts
    that, and is waited for there; else it must take the reference server's flags (`more` of them)
    and say, as that does, where it listens. Raises `UsageProblem`.
    """
    words = [*(plan.command or _REFERENCE)]
    if not plan.target:
        words += ["--measure"] * plan.measures
        words += [word for fault in plan.faults for word in ("--fault", fault)]
        words += plan.serve
        words += more
    with log.open("w", encoding="utf-8") as errors:
        try:
            process = subprocess.Popen(
                words,
                stdout=errors if plan.target else subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
                preexec_fn=ending_with_us(signal.SIGKILL),  # noqa: PLW1509 - there is no other thread here
                env={**os.environ, "STREAMGAUGE_SECRET": secret},
            )
        except OSError as error:
            raise UsageProblem(f"--server {words[0]}: cannot be started ({error.strerror})") from error
        try:
            yield _address(process, plan.target, log), process
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()


def _address(process: subprocess.Popen[str], target: str, log: Path) -> str:
    if target:
        if _listens(process, target):
            return target
    else:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], _START_S)
        line = process.stdout.readline() if ready else ""
        try:
            return str(json.loads(line)["listening"])
        except (ValueError, KeyError, TypeError):
            pass
    said = log.read_text(encoding="utf-8").strip().splitlines() or ["it did not say where it listens"]
    raise UsageProblem(f"the server did not start: {redacted(said[-1], _MOST_SHOWN)}")


def _listens(process: subprocess.Popen[str], target: str) -> bool:
    """Wait until the target takes connections; False where its process ends or is too slow."""
    address = address_of(target)
    for _ in range(int(_START_S / _LOOK_S)):
        if process.poll() is not None:
            return False
        try:
            socket.create_connection((address.host, address.port), timeout=1).close()
        except OSError:
            time.sleep(_LOOK_S)
        else:
            return True
    return False
