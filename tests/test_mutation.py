import os
import re
from pathlib import Path

import pytest

from tests.mutation import CORE, JUDGES, PAGE, forked
from tests.support.mutants import mutants

NAMES = {
    path.relative_to(CORE).as_posix(): {mutant.name for mutant in mutants(path.read_text())}
    for path in JUDGES
}
SURVIVORS = re.findall(r"^\| `(\S+\.py)` \| (.*?) \| (.*?) \|$", PAGE.read_text(), re.MULTILINE)


def changes(source: str) -> list[tuple[str, str]]:
    return [(mutant.before, mutant.after) for mutant in mutants(source)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", [("a < b", "a <= b")]),
        ("a in b", [("a in b", "a not in b")]),
        ("a and b", [("a and b", "a or b"), ("a and b", "b"), ("a and b", "a")]),
        ("not a", [("not a", "a")]),
        ("a if b else c", [("a if b else c", "c if b else a")]),
        ("if a: b", [("a", "not a")]),
        ("a + b", [("a + b", "a - b")]),
        ("a = 1", [("a = 1", "a = 2")]),
        ("a = True", [("a = True", "a = False")]),
        ("a = 'b'", [("a = 'b'", "a = ''")]),
        ("min(a)", [("min(a)", "pass"), ("min(a)", "max(a)")]),
        ("[a for a in b if a]", [("[a for a in b if a]", "[a for a in b]")]),
        ("a += b", [("a += b", "a -= b"), ("a += b", "pass")]),
        ("a.b = c", [("a.b = c", "pass")]),
        ("for a in b: continue", [("continue", "break")]),
        ("def f(): return a", [("return a", "return None")]),
        # what says nothing about what is done
        ("'''a'''", []),
        ("a: Final[0] = b", []),
        ("class A(B, frozen=True): pass", []),
        ("f'{a}b'", []),
        ("return_none = None", []),
    ],
)
def test_a_source_has_these_mutants(source: str, expected: list[tuple[str, str]]) -> None:
    assert changes(source) == expected


def test_a_mutant_has_a_name_of_its_own_and_differs_from_its_source() -> None:
    for path in JUDGES:
        source = path.read_text()
        made = [mutant.name for mutant in mutants(source)]
        assert len(set(made)) == len(made)
        assert made == [mutant.name for mutant in mutants(source)], "the tree is as it was"


def test_a_mutant_is_the_module_with_its_change() -> None:
    (mutant,) = (m for m in mutants("class A:\n def f(self):\n  return 1 + 1\n") if "-" in m.after)
    names: dict[str, type] = {}
    exec(mutant.code(), names)
    assert names["A"]().f() == 0
    assert mutant.name == "`A.f`: `1 + 1` → `1 - 1`"


@pytest.mark.parametrize(("code", "killed"), [("def double(n): return 2 * n", False), ("double = abs", True)])
def test_tests_are_run_against_the_changed_module(tmp_path: Path, code: str, killed: bool) -> None:
    test = tmp_path / "test_it.py"
    test.write_text("from streamgauge.core import doubling\ndef test_it(): assert doubling.double(2) == 4\n")
    child = forked("streamgauge.core.doubling", compile(code, "mutant", "exec"), [str(test)])
    _, ended = os.waitpid(child, 0)
    assert (ended != 0) is killed


@pytest.mark.parametrize("survivor", SURVIVORS, ids=str)
def test_a_survivor_that_is_explained_still_stands_in_the_source(survivor: tuple[str, str, str]) -> None:
    file, name, why = survivor
    assert name in NAMES[file]
    assert len(why) > 10


def test_every_row_of_the_page_is_read() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert len(rows) == len(SURVIVORS) > 0
