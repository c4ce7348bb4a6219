"""Result folders: `results/<date>-<scenario>-<revision>/`."""

import subprocess
from datetime import datetime
from pathlib import Path


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
    except OSError:
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
