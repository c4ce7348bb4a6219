"""What the control of a run leaves beside its results: `control/`, a result folder with two files more."""

from pathlib import Path
from typing import Final

import msgspec

from streamgauge.core.control import Control
from streamgauge.core.strike import Strike
from streamgauge.results import write_whole

FOLDER: Final = "control"  # in the result folder of the run
LOG: Final = "control.log"  # what its processes said
_STRIKES: Final = "strikes.jsonl"  # what the proxy struck
_CONTROL: Final = "control.json"  # what came of it
_OVER: Final = "over"  # the run beside it has ended

_decode_control: Final = msgspec.json.Decoder(Control).decode
_decode_strike: Final = msgspec.json.Decoder(Strike).decode


def strikes_file(results: Path) -> Path:
    """Where the proxy of a run's control writes what it strikes."""
    return results / FOLDER / _STRIKES


def read_strikes(results: Path) -> list[Strike]:
    """What was struck so far; none where nothing was, or nothing that can be read."""
    try:
        lines = strikes_file(results).read_bytes().splitlines(keepends=True)
    except OSError:
        return []
    return [_decode_strike(line) for line in lines if line.endswith(b"\n")]  # one may be half written


def write_control(results: Path, control: Control) -> None:
    """Leave what the control came to; raises `OSError`."""
    write_whole(results / FOLDER / _CONTROL, msgspec.json.encode(control))


def read_control(results: Path) -> Control | None:
    """What the control came to; None while there is nothing."""
    try:
        return _decode_control((results / FOLDER / _CONTROL).read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None


def say_over(results: Path) -> None:
    """Tell the control that its run has ended; where nobody hears it, nobody is told."""
    try:
        (results / FOLDER / _OVER).touch()
    except OSError:
        return


def is_over(results: Path) -> bool:
    """Whether the run has ended."""
    return (results / FOLDER / _OVER).exists()
