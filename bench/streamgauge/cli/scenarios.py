"""Where scenarios are found: in the installed package, else in the checkout."""

import os
from pathlib import Path

from msgspec.structs import replace

import streamgauge
from streamgauge.cli.errors import UsageProblem
from streamgauge.plan import Plan, load_plan

_PACKAGE = Path(streamgauge.__file__).parent


def folder() -> Path:
    """The folder of the scenarios."""
    installed = _PACKAGE / "scenarios"
    return installed if installed.is_dir() else _PACKAGE.parents[1] / "scenarios"


def find(name: str, said: str = "--scenario", base: Path = Path()) -> Path:
    """The Locust file of a scenario, by its name or its path from `base`; its plan stands beside it.

    `said` is where it was named, for the error.
    """
    path = base / name if name.endswith(".py") else folder() / f"{name}.py"
    if not path.is_file() or not path.with_suffix(".toml").is_file():
        known = ", ".join(sorted(p.stem for p in folder().glob("*.py")))
        raise UsageProblem(
            f"{said} {name}: there is no such scenario; known are {known}, or the path of a Locust file"
        )
    return path


def seen_from(folder: Path, plan: Plan, locustfile: Path) -> Plan:
    """The plan as it is to lie in `folder`: the path of its Locust file leads from there, unless absolute."""
    if not plan.locustfile or Path(plan.locustfile).is_absolute():
        return plan
    return replace(plan, scenario=os.path.relpath(locustfile, folder))


def require_slices(plan: Plan, locustfile: Path, said: str) -> None:
    """Raise `UsageProblem` where the plan has slices and its scenario has none, or the reverse."""
    beside = locustfile.with_suffix(".toml")
    sliced = bool(load_plan(beside.read_text(encoding="utf-8"), str(beside)).slice_runs)
    if sliced and not plan.slice_runs:
        raise UsageProblem(f"{said}: slice_runs: the users of {plan.name} act in slices: at least 1")
    if plan.slice_runs and not sliced:
        raise UsageProblem(f"{said}: slice_runs: there are no slices in {plan.name}: leave it out")
