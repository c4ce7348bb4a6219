"""The attacker beside a run: a process of its own, for its asyncio never meets the generator's gevent."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from streamgauge.cli.interruption import ending_with_us
from streamgauge.plan import ATTACK, PLAN_FILE, Plan

OWN_SERVER: Final = ("--origin", "http://127.0.0.1")  # without an allow-list no origin is wrong


@contextmanager
def attacker_beside(plan: Plan, folder: Path, secret: str) -> Iterator[None]:
    """In here the attack list is carried out, where the plan is of the scenario `attack`.

    What it came to lies in the folder as soon as it is done; what is not done by the end is
    ended.
    """
    if plan.name != ATTACK:
        yield
        return
    command = [
        sys.executable,
        "-m",
        "streamgauge.rig.attacker",
        str(folder / PLAN_FILE),
        plan.target,
        str(folder),
    ]
    process = subprocess.Popen(
        command,
        env={**os.environ, "STREAMGAUGE_SECRET": secret},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=ending_with_us(signal.SIGKILL),  # noqa: PLW1509 - there is no other thread here
    )
    try:
        yield
    finally:
        process.kill()  # nothing, where it is done
        process.wait()
