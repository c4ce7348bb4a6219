"""The control of a run, beside it: a process of its own, whose users and sockets are none of the run's."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from streamgauge.cli.generator import SECRET_VARIABLE
from streamgauge.cli.interruption import ending_with_us
from streamgauge.control_files import FOLDER, LOG
from streamgauge.plan import PLAN_FILE, Plan, dump_plan

_START_S: Final = 20


@contextmanager
def control_beside(plan: Plan, results: Path, secret: str) -> Iterator[None]:
    """Have the control run while this lasts, where the plan asks for one; `plan` leads to the target."""
    if not plan.control:
        yield
        return
    (results / FOLDER).mkdir()
    (results / FOLDER / PLAN_FILE).write_text(dump_plan(plan), encoding="utf-8")
    with (results / FOLDER / LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamgauge.cli.control_process", str(results)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, SECRET_VARIABLE: secret},
            start_new_session=True,
            preexec_fn=ending_with_us(signal.SIGTERM),  # noqa: PLW1509 - there is no other thread here
        )
    assert process.stdout is not None
    try:
        select.select([process.stdout], [], [], _START_S)  # it stands, or it has failed: its file says why
        yield
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
