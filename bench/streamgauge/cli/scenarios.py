"""Where scenarios are found: in the installed package, else in the checkout."""

from pathlib import Path

import streamgauge
from streamgauge.cli.errors import UsageProblem

_PACKAGE = Path(streamgauge.__file__).parent


def folder() -> Path:
    """The folder of the scenarios."""
    installed = _PACKAGE / "scenarios"
    return installed if installed.is_dir() else _PACKAGE.parents[1] / "scenarios"


def find(name: str) -> Path:
    """The Locust file of a scenario, by its name or its path; its plan stands beside it."""
    path = Path(name) if name.endswith(".py") else folder() / f"{name}.py"
    if not path.is_file() or not path.with_suffix(".toml").is_file():
        known = ", ".join(sorted(p.stem for p in folder().glob("*.py")))
        raise UsageProblem(f"--scenario {name}: there is no such scenario; known are {known}")
    return path
