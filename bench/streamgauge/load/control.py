"""What a run's control came to, as its own process leaves it beside the run."""

import time
from pathlib import Path
from typing import Final

import gevent

from streamgauge.control_files import FOLDER, read_control, say_over
from streamgauge.core.control import Control

LATE_S: Final = 40  # what a control may take to end after its run
_LOOK_S: Final = 0.1


def await_control(results: Path, within_s: float = LATE_S) -> Control:
    """Tell the control that its run is over, and wait for what it came to."""
    if not (results / FOLDER).is_dir():
        return Control(problem="none was made: `streamgauge run` starts it, Locust alone does not")
    say_over(results)
    deadline = time.monotonic() + within_s
    while (control := read_control(results)) is None:
        if time.monotonic() > deadline:
            return Control(problem=f"it had not ended {within_s:g} s after the run")
        gevent.sleep(_LOOK_S)
    return control
