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
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Lock
from types import CodeType, ModuleType
from typing import Final, NamedTuple

import hypothesis
import msgspec
import numpy as np
import pytest

from tests.support.mutants import Mutant, mutants

ROOT: Final = Path(__file__).parents[1]
CORE: Final = ROOT / "bench/streamgauge/core"
SHOW: Final = frozenset(
    {"__init__.py", "extent.py", "sides.py"}
)  # how far it reaches, and both sides: no verdict
JUDGES: Final = (
    *sorted(path for path in (CORE / "checks").glob("*.py") if path.name not in SHOW),
    CORE / "contract.py",
    CORE / "assembly.py",
)
PAGE: Final = ROOT / "docs/mutation.md"
TESTS: Final = ROOT / "tests/streamgauge"
QUICK: Final = ("core/checks", "core/test_contract.py", "core/test_assembly.py", "test_checker.py")
SLOW: Final = [
    *("core/test_alike.py", "core/metrics", "core/test_analysis.py", "test_checker_exact.py"),
    *("test_checker_agrees.py::test_two_checkers_agree[from seed 0]", "core/test_analysis_short_ways.py"),
]
LONGEST_S: Final = 120  # of processor time: then it goes round in circles, and somebody would notice
_HOW: Final = (
    *("-x", "-q", "-p", "no:cacheprovider", "-o", "timeout=0"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
_ONE_AT_A_TIME: Final = Lock()
_LOADED: Final = (hypothesis, msgspec, np)  # once, and not in every process


class Fate(NamedTuple):
    """What became of a mutant; `by` is the stage of tests that noticed it, "" where none did."""

    file: str
    mutant: Mutant
    by: str


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
    if tried(files[0], Mutant("", "", "", 1, as_it_stands)).by:
        sys.exit("mutation: the tests fail as the sources stand: mend that first (make test)")
    began_s, known = time.monotonic(), "" if options.all else PAGE.read_text()
    made = list(every(files))
    new = [(path, mutant) for path, mutant in made if f"| {mutant.name} |" not in known]
    by: Counter[str] = Counter()
    with ThreadPoolExecutor(options.jobs) as pool:
        for done, fate in enumerate(pool.map(lambda pair: tried(*pair), new), 1):
            by[fate.by] += 1
            if not fate.by:
                say(f"| `{fate.file}` | {fate.mutant.name} |")
            elif done % 50 == 0:
                say(f"{done} of {len(new)} tried")
    killed = ", ".join(f"{by[stage]} killed by {stage} tests" for stage in ("the nearest", "quick", "slow"))
    took = (time.monotonic() - began_s) / 60
    explained = len(made) - len(new)
    say(f"{len(made)} mutants: {killed}, {explained} explained, {by['']} alive; {took:.1f} minutes")
    sys.exit(bool(by[""]))


def every(files: Sequence[Path]) -> Iterator[tuple[Path, Mutant]]:
    return ((path, mutant) for path in files for mutant in mutants(path.read_text()))


def tried(path: Path, mutant: Mutant) -> Fate:
    """Run the tests, the nearest first, until one fails."""
    nearest = TESTS / path.relative_to(CORE.parent).with_name(f"test_{path.name}")
    stages = {
        "the nearest": [nearest] if nearest.exists() else [],
        "quick": [TESTS / name for name in QUICK],
        "slow": [TESTS / name for name in SLOW],
    }
    module = ".".join(path.relative_to(ROOT / "bench").with_suffix("").parts)
    with _ONE_AT_A_TIME:  # all mutants of a module are made of one tree
        code = mutant.code()
    for stage, tests in stages.items():
        if tests and noticed(module, code, [str(test) for test in tests]):
            return Fate(path.relative_to(CORE).as_posix(), mutant, stage)
    return Fate(path.relative_to(CORE).as_posix(), mutant, "")


def noticed(module: str, code: CodeType, tests: Sequence[str]) -> bool:
    """Whether a test fails, or does not end, where the module is this."""
    child = os.fork()
    if not child:
        status = 1
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (LONGEST_S, LONGEST_S))
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            sys.meta_path.insert(0, _Instead(module, code))
            status = pytest.main([*_HOW, *tests])
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    return ended != 0


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
