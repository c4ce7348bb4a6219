"""Would a test notice? Each small change of what judges is made alone, and the tests near it are run.

    make mutation ARGS="--jobs 2"
    make mutation ARGS="checks/judge.py checks/tools.py --jobs 1"

Every mutant lives in a process of its own that was forked here, where pytest is loaded already; an import
hook gives it the changed module, and no file is touched. The quick tests are tried first, the slow ones
on what survives these. Mutants that `docs/mutation.md` explains are not tried again; it ends with 1 where
another one survived.
"""

import argparse
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final, NamedTuple

import hypothesis
import msgspec
import numpy as np
import pytest

from tests.support.mutants import Mutant, mutants

ROOT: Final = Path(__file__).parents[1]
CORE: Final = ROOT / "bench/streamgauge/core"
JUDGES: Final = (
    *sorted(path for path in (CORE / "checks").glob("*.py") if path.stem != "__init__"),
    CORE / "contract.py",
    CORE / "assembly.py",
)
PAGE: Final = ROOT / "docs/mutation.md"
TESTS: Final = ROOT / "tests/streamgauge"
QUICK: Final = (
    *("core/checks", "core/test_contract.py", "core/test_assembly.py", "core/test_assembly_strays.py"),
    "test_checker.py",
)
SLOW: Final = [
    *("core/test_analysis_short_ways.py", "core/test_alike.py", "core/metrics", "core/test_analysis.py"),
    *("test_checker_agrees.py::test_two_checkers_agree[from seed 0]", "test_checker_exact.py"),
]
LONGEST_S: Final = 120  # of processor time: then it goes round in circles, and somebody would notice
LARGEST: Final = 4 * 2**30  # bytes of addresses: one that remembers without end takes no other down with it
_HOW: Final = (
    *("-x", "-q", "-p", "no:cacheprovider", "-o", "timeout=0"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
_LOADED: Final = (hypothesis, msgspec, np)  # once, and not in every process


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="*", help="of bench/streamgauge/core; without any all that judge")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time (2)")
    parser.add_argument("--all", action="store_true", help="try those, too, that docs/mutation.md explains")
    parser.add_argument(
        "--quick", action="store_true", help="leave out the slow tests: candidates, to begin with"
    )
    options = parser.parse_args()
    if options.quick:
        SLOW.clear()
    files = [CORE / name for name in options.files] or JUDGES
    as_it_stands = partial(compile, files[0].read_text(), "as it stands", "exec")
    if any(by for *_, by in fates([(files[0], Mutant("", "", "", 1, as_it_stands))], 1)):
        sys.exit("mutation: the tests fail as the sources stand: mend that first (make test)")
    began_s, known = time.monotonic(), "" if options.all else PAGE.read_text()
    made = list(every(files))
    new = [(path, mutant) for path, mutant in made if f"| {mutant.name} |" not in known]
    by: Counter[str] = Counter()
    for done, (path, mutant, stage) in enumerate(fates(new, options.jobs), 1):
        by[stage] += 1
        if not stage:
            say(f"| `{path.relative_to(CORE).as_posix()}` | {mutant.name} |")
        elif done % 50 == 0:
            say(f"{done} of {len(new)} tried")
    killed = ", ".join(f"{by[stage]} killed by {stage} tests" for stage in ("the nearest", "quick", "slow"))
    took = (time.monotonic() - began_s) / 60
    explained = len(made) - len(new)
    say(f"{len(made)} mutants: {killed}, {explained} explained, {by['']} alive; {took:.1f} minutes")
    sys.exit(bool(by[""]))


def every(files: Sequence[Path]) -> Iterator[tuple[Path, Mutant]]:
    return ((path, mutant) for path in files for mutant in mutants(path.read_text()))


class Trial(NamedTuple):
    """A mutant that is tried; `stages` are its tests, those under way first, then those to come."""

    path: Path
    mutant: Mutant
    stages: list[tuple[str, list[str]]]

    def start(self) -> int:
        """Run its first stage in a process, whose id it returns."""
        module = ".".join(self.path.relative_to(ROOT / "bench").with_suffix("").parts)
        return forked(module, self.mutant.code(), self.stages[0][1])


def fates(pairs: Iterable[tuple[Path, Mutant]], jobs: int) -> Iterator[tuple[Path, Mutant, str]]:
    """Each mutant with the stage of tests that noticed it, "" where none did, as they become known.

    All by one thread, because only where no other holds a lock may a process be forked.
    """
    waiting = (Trial(path, mutant, stages(path)) for path, mutant in pairs)
    under_way: dict[int, Trial] = {}
    while True:
        while len(under_way) < jobs and (trial := next(waiting, None)):
            under_way[trial.start()] = trial
        if not under_way:
            return
        child, ended = os.wait()
        trial = under_way.pop(child)
        stage, to_come = trial.stages[0][0], trial._replace(stages=trial.stages[1:])
        if ended or not to_come.stages:
            yield trial.path, trial.mutant, stage if ended else ""
        else:
            under_way[to_come.start()] = to_come


def stages(path: Path) -> list[tuple[str, list[str]]]:
    """The tests to run against a file's mutants."""
    nearest = sorted((TESTS / path.relative_to(CORE.parent)).parent.glob(f"test_{path.stem}*.py"))
    tests = {"the nearest": nearest, "quick": QUICK, "slow": SLOW}
    return [(stage, [str(TESTS / name) for name in names]) for stage, names in tests.items() if names]


def forked(module: str, code: CodeType, tests: Sequence[str]) -> int:
    """Run tests where the module is this, in a process that ends with 0 where none failed."""
    child = os.fork()
    if not child:
        status = 1
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (LONGEST_S, LONGEST_S))
            resource.setrlimit(resource.RLIMIT_AS, (LARGEST, LARGEST))
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            sys.meta_path.insert(0, _Instead(module, code))
            status = pytest.main([*_HOW, *tests])
        finally:
            os._exit(status)
    return child


class _Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module other code."""

    def __init__(self, module: str, code: CodeType) -> None:
        self._module, self._code = module, code

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self._module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
