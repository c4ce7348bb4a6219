"""The reference server beside a run that names no target."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from streamgauge.cli.errors import UsageProblem

_START_S: Final = 20
_STOP_S: Final = 10


@contextmanager
def reference_server(
    secret: str, faults: Sequence[str], log: Path
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start it on a free port, in a session of its own (Ctrl-C is not for it); stop it at the end.

    Yields its address and process. Its log goes to the file `log`.
    """
    command = [sys.executable, "-m", "reference_server", "--port", "0"]
    if faults:
        command += ["--measure", *(word for fault in faults for word in ("--fault", fault))]
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
            env={**os.environ, "STREAMGAUGE_SECRET": secret},
        )
        try:
            yield _address(process, log), process
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()


def _address(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], _START_S)
    line = process.stdout.readline() if ready else ""
    if not line:
        said = log.read_text(encoding="utf-8").strip().splitlines()
        raise UsageProblem(f"the reference server did not start: {said[-1] if said else 'it said nothing'}")
    return str(json.loads(line)["listening"])
