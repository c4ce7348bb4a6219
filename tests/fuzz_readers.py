"""The compiled readers under AddressSanitizer and UBSan: `make fuzz-readers ARGS="--seconds 600"`.

Both are compiled anew with the sanitizers in them and put in the place of the installed ones. Then their
tests are run, and until the time is over streams of all kinds, sound and broken, are read by them and by
the references beside them. It ends at a fault, with the sanitizer's report or the assertion that failed;
`--seed` with the last number it wrote shows it again.
"""

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from functools import reduce
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import pytest

from tests.support.compiled import READERS

ROOT: Final = Path(__file__).parents[1]
TESTS: Final = ("wire/test_frames.py", "wire/test_frames_compiled.py", "protocol/test_gather*.py")
FLAGS: Final = ("-std=gnu11", "-O1", "-g", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror")
SANITIZERS: Final = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
STREAMS: Final = 200  # between two looks at the clock
_INSIDE: Final = "STREAMGAUGE_SANITIZED"  # the folder of the modules


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=180, help="how long streams are read (180)")
    parser.add_argument("--seed", type=int, default=0, help="of the first stream (0)")
    options = parser.parse_args()
    folder = os.environ.get(_INSIDE)
    if folder:
        fuzz(Path(folder), options.seconds, options.seed)
    else:
        sys.exit(in_a_process_of_its_own())


def in_a_process_of_its_own() -> int:
    """The same command again, where the sanitizer was there before Python and sees every allocation."""
    if shutil.which("gcc") is None:
        sys.exit("fuzz_readers: there is no gcc to build the readers with: install gcc and Python's headers")
    with TemporaryDirectory() as name:
        for module in READERS:
            build(module, Path(name))
        said = subprocess.run(
            ["gcc", "-print-file-name=libasan.so"], check=True, capture_output=True, text=True
        )
        sanitized = {
            _INSIDE: name,
            "LD_PRELOAD": said.stdout.strip(),
            "PYTHONMALLOC": "malloc",
            "ASAN_OPTIONS": "detect_leaks=0",  # Python itself frees little at its end
            "UBSAN_OPTIONS": "print_stacktrace=1",
        }
        command = [sys.executable, "-m", "tests.fuzz_readers", *sys.argv[1:]]
        return subprocess.run(command, cwd=ROOT, env=os.environ | sanitized, check=False).returncode


def build(module: str, folder: Path) -> None:
    source = ROOT / "bench" / Path(*module.split(".")).with_suffix(".c")
    include = f"-I{sysconfig.get_paths()['include']}"
    subprocess.run(
        ["gcc", *FLAGS, *SANITIZERS, include, str(source), "-o", str(built(module, folder))], check=True
    )


def built(module: str, folder: Path) -> Path:
    return folder / f"{module}.so"


def fuzz(folder: Path, seconds: float, seed: int) -> None:
    for module in READERS:
        load(module, built(module, folder))
    tests = [str(path) for name in TESTS for path in sorted((ROOT / "tests/streamgauge").glob(name))]
    if pytest.main(["-q", "--capture=sys", "-p", "no:cacheprovider", *tests]) != 0:
        sys.exit(1)
    from tests.support.held import Held, hold, hold_texts  # noqa: PLC0415 # only now: it must find the modules above

    end_s = time.monotonic() + seconds
    total, texts = Held(), 0
    while time.monotonic() < end_s:
        sys.stdout.write(f"--seed {seed}: {told(total, texts)} so far\n")
        sys.stdout.flush()
        rngs = [Random(seed + place) for place in range(STREAMS)]
        total = reduce(Held.plus, map(hold, rngs), total)
        texts += sum(map(hold_texts, rngs))
        seed += STREAMS
    sys.stdout.write(f"no fault in {told(total, texts)}\n")


def told(total: NamedTuple, texts: int) -> str:
    numbers = total._asdict().items()
    return ", ".join(f"{name} {number:,}" for name, number in [*numbers, ("frames", texts)])


def load(module: str, path: Path) -> None:
    """Put the module where an import finds it, in the place of the installed one."""
    spec = importlib.util.spec_from_file_location(module, path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[module] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[module])


if __name__ == "__main__":
    main()
