import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import ROOT
from tests.support.compiled import READERS, compiled

SOURCES = sorted((ROOT / "bench/streamgauge").glob("*/*.c"))
STRICT = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"]


@pytest.mark.parametrize("name", READERS)
def test_the_readers_are_compiled(name: str) -> None:
    """In CI they must be; elsewhere it is said that they are not."""
    assert (
        Path(str(compiled(name).__file__)).suffix == Path(str(sysconfig.get_config_var("EXT_SUFFIX"))).suffix
    )


def test_one_that_is_missing_fails_in_ci_and_is_said_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no C compiler"):
        compiled("streamgauge.wire._nothing")
    monkeypatch.delenv("CI")
    with pytest.raises(
        pytest.skip.Exception, match=r"streamgauge\.wire\._nothing is not compiled: there was no C"
    ):
        compiled("streamgauge.wire._nothing")


def test_every_source_is_a_reader_that_is_tested() -> None:
    named = [".".join(path.relative_to(ROOT / "bench").with_suffix("").parts) for path in SOURCES]
    assert sorted(named) == sorted(READERS)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc to ask")
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_the_compiler_has_nothing_to_say(source: Path, tmp_path: Path) -> None:
    include = f"-I{sysconfig.get_paths()['include']}"
    command = ["gcc", *STRICT, include, "-fPIC", "-c", str(source), "-o", str(tmp_path / "reader.o")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# Without them


def tiny_stream(*missing: str) -> dict[str, Any]:
    """What a process says in which these modules cannot be imported."""
    program = f"""
import sys
sys.modules.update(dict.fromkeys({missing}))  # None: an import of it fails
from tests.support.tiny_stream import main
main()
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_without_them_every_event_goes_the_long_way_to_the_same_verdict() -> None:
    for name in READERS:
        compiled(name)
    short, long = tiny_stream(), tiny_stream(*READERS)
    assert (short["readers"], long["readers"]) == ([*READERS], [])
    assert (short["stretches"], long["stretches"]) == (2, 0)
    assert short["verdicts"] == long["verdicts"]
    problems = {
        problem for _, outcome, _, found in long["verdicts"] for problem in found if outcome == "FAIL"
    }
    assert "gap: seq 4 never came" in problems


def test_without_a_compiler_it_is_installed_all_the_same(tmp_path: Path) -> None:
    copy = tmp_path / "streamgauge"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "results", "tests", "*.so", "build"))
    (copy / "results").mkdir()
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(copy)]
    env = {**os.environ, "CC": str(tmp_path / "no-such-compiler")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl"), (
        "it is for every machine, since nothing in it is compiled"
    )
