"""Result folders: `results/<date>-<scenario>-<revision>/`."""

import fcntl
import os
import subprocess
import time
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from streamgauge.core.campaign import CAMPAIGN_FILE, Campaign

TREND_VARIABLE: Final = "STREAMGAUGE_TREND"  # the trend's file, where a command makes several runs

SERVER_FILE: Final = "recording/server.json"  # what the server said it held, in every result folder

_LOCK_TRIES: Final = 100
_LOCK_S: Final = 0.02


def revision(where: Path) -> str:
    """The short git revision of the checkout at `where`; "unversioned" where there is none."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty=-changed", "--exclude=*"],  # noqa: S607 - git from the PATH
            cwd=where,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return "unversioned"
    return done.stdout.strip() or "unversioned"


def new_folder(results: Path, scenario: str) -> Path:
    """Make a new folder for a run in `results`; raises `OSError` where that cannot be written."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    name = f"{stamp}-{scenario}-{revision(Path.cwd())}"
    for suffix in ("", *(f"-{n}" for n in range(2, 100))):
        folder = results / f"{name}{suffix}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"{results / name}: a hundred runs in one second")


def read_campaign(folder: Path) -> Campaign | None:
    """What the attack list came to beside a run; None where it did not come to its end."""
    try:
        return msgspec.json.decode((folder / CAMPAIGN_FILE).read_bytes(), type=Campaign)
    except (OSError, msgspec.MsgspecError):
        return None


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; raises `OSError` where that cannot be."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def append_line(path: Path, line: bytes) -> None:
    """Append one line whole, however many do so at once; raises `OSError` where that cannot be.

    A lock that another process keeps to itself for seconds is an `OSError` too: a run
    must not hang on it. A line that was cut off before stays one line.
    """
    with path.open("a+b") as file:
        for left in reversed(range(_LOCK_TRIES)):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not left:
                    raise
                time.sleep(_LOCK_S)
            else:
                break
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            line = line if file.read() == b"\n" else b"\n" + line
        file.write(line)  # at the end, wherever that is; closing writes it out, then unlocks
