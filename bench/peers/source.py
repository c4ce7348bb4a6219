"""The source of events (source.c): built where there is a C compiler, and started.

    python -m peers.source --port 0              # a run's events in one write
    python -m peers.source --port 0 --gap-us 500 # one event per write

It prints one line with its address, as `streamgauge serve` does, and goes on until it is killed.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

HERE: Final = Path(__file__).parent
BUILD: Final = HERE / "build"
_END_S: Final = 5


class NotBuilt(RuntimeError):
    """The source could not be compiled; the text says why."""


class Source(Struct, frozen=True):
    """A source under way."""

    address: str
    port: int
    pid: int


def build(folder: Path = BUILD) -> Path:
    """The program, compiled into `folder` unless it is there and newer than its text; raises `NotBuilt`."""
    program = folder / "source"
    if program.exists() and all(
        program.stat().st_mtime > part.stat().st_mtime for part in HERE.glob("source*.[ch]")
    ):
        return program
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise NotBuilt("no C compiler: install gcc (on Debian `apt-get install gcc libc6-dev`)")
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / f"source.{os.getpid()}"  # another may be compiling, or running the old one
    done = subprocess.run(
        [compiler, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", str(new), str(HERE / "source.c")],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotBuilt(f"{compiler} failed on {HERE / 'source.c'}:\n{done.stderr}")
    return new.replace(program)


@contextmanager
def started(program: Path, *arguments: str, before: Sequence[str] = ()) -> Iterator[Source]:
    """A source on a free port until the block ends; `before` is put before its command, as `taskset -c 0`."""
    process = subprocess.Popen(
        [*before, str(program), "--port", "0", *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise NotBuilt(f"{program} ended at once, with {process.wait()}")
        said = json.loads(line)
        yield Source(said["listening"], said["port"], said["pid"])
    finally:
        process.kill()
        process.communicate(timeout=_END_S)


def main() -> None:
    """Build it, and become it."""
    try:
        program = build()
    except NotBuilt as error:
        sys.exit(f"source: {error}")
    os.execv(program, [str(program), *sys.argv[1:]])  # noqa: S606 - of our own making


if __name__ == "__main__":
    main()
