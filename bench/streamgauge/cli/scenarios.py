"""Where scenarios are found: in the installed package, else in the checkout."""

import os
from pathlib import Path

from msgspec.structs import replace

import streamgauge
from streamgauge.cli.errors import UsageProblem
from streamgauge.contradictions import ineffective
from streamgauge.plan import Plan, load_plan

_PACKAGE = Path(streamgauge.__file__).parent


def folder() -> Path:
    """The folder of the scenarios."""
    installed = _PACKAGE / "scenarios"
    return installed if installed.is_dir() else _PACKAGE.parents[1] / "scenarios"


def find(name: str, said: str = "--scenario", base: Path = Path(), *, planned: bool = False) -> Path:
    """The Locust file of a scenario, by its name or its path from `base`.

    Its plan stands beside it, but where another one is given (`planned`). `said` is where
    it was named, for the error.
    """
    path = base / name if name.endswith(".py") else folder() / f"{name}.py"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder().glob("*.py")))
        raise UsageProblem(
            f"{said} {name}: there is no such scenario; known are {known}, or the path of a Locust file"
        )
    if not planned and not path.with_suffix(".toml").is_file():
        raise UsageProblem(
            f"{said} {name}: it has no plan beside it ({path.with_suffix('.toml')}): "
            "write one (streamgauge plan init), or give a plan with --plan"
        )
    return path


def seen_from(folder: Path, plan: Plan, locustfile: Path) -> Plan:
    """The plan as it is to lie in `folder`: the path of its Locust file leads from there, unless absolute."""
    if not plan.locustfile or Path(plan.locustfile).is_absolute():
        return plan
    return replace(plan, scenario=os.path.relpath(locustfile, folder))


def require_effect(plan: Plan, locustfile: Path, said: str) -> None:
    """Raise `UsageProblem` where something in the plan would do nothing in its scenario."""
    _require_slices(plan, locustfile, said)
    built_in = locustfile.stem if locustfile.parent.samefile(folder()) else ""
    for problem in ineffective(plan, built_in):
        raise UsageProblem(f"{said}: {problem}")


def _require_slices(plan: Plan, locustfile: Path, said: str) -> None:
    """Raise `UsageProblem` where the plan has slices and its scenario has none, or the reverse."""
    beside = locustfile.with_suffix(".toml")
    if not beside.is_file():  # a user's own, which does not say
        return
    sliced = bool(load_plan(beside.read_text(encoding="utf-8"), str(beside)).slice_runs)
    if sliced and not plan.slice_runs:
        raise UsageProblem(f"{said}: slice_runs: the users of {plan.name} act in slices: at least 1")
    if plan.slice_runs and not sliced:
        raise UsageProblem(f"{said}: slice_runs: there are no slices in {plan.name}: leave it out")
