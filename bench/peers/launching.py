"""One launch of a generator against a source of its own, each on its core, watched from outside."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from msgspec import Struct
from websockets.sync.client import connect

from peers.clients.common import login
from peers.counting import (
    Count,
    Memory,
    Said,
    Sample,
    between,
    family,
    on_cpu_ns,
    parent_of,
    resident_pages,
    said_in,
    totals,
)
from peers.source import Source, started

BENCH: Final = Path(__file__).parents[1]
OPENING_S: Final = 90  # until all sockets must be open
RESTING_S: Final = 1.0  # with all sockets open, before the greeting
AFTER_S: Final = 1.0  # from the window to the generator's end
ENDING_S: Final = 60  # until it must have ended
_PAGE: Final = os.sysconf("SC_PAGESIZE")


class Failed(RuntimeError):
    """A launch that gives no figures; the text says why."""


class Bench(Struct, frozen=True):
    """What all launches have in common."""

    program: Path  # the source's
    source_core: int
    generator_core: int
    sockets: int
    settling_s: float  # from the greeting to the window
    seconds: float  # of the window
    gap_us: int = 0
    poll: bool = True  # the source never sleeps


class Peer(Struct, frozen=True):
    """A generator's command, ready to be started."""

    command: Sequence[str]
    env: Mapping[str, str]


def memory_of_one_socket(bench: Bench, peer: Peer) -> int:
    """What the generator takes with one idle socket, in bytes; before it has any, it is still starting."""
    with _held(bench, 2) as source, _launched(bench, peer, source, 1) as process:
        _wait_for_sockets(process, source, 1)
        time.sleep(RESTING_S)
        return _resident_bytes(process.pid)


def measure(bench: Bench, peer: Peer, one_socket: int) -> Sample:
    """Open all sockets, greet them at one moment, count in a window, and hear what the generator says."""
    sockets = bench.sockets
    with _held(bench, sockets + 1) as source, _launched(bench, peer, source, sockets) as process:
        _wait_for_sockets(process, source, sockets)
        time.sleep(RESTING_S)
        open_bytes = _resident_bytes(process.pid)
        # the last socket that the source waits for is our own: it sets all off
        with connect(source.address, additional_headers=login("starter"), compression=None):
            time.sleep(bench.settling_s)
            first = _count(process, source)
            time.sleep(bench.seconds)
            last = _count(process, source)
            busy_bytes = _resident_bytes(process.pid)
            there = int(_metrics(source)["streamgauge_server_connections"]) - 1
        if there != sockets:
            raise Failed(
                f"{there} of {sockets} sockets were open at the window's end: {_last_words(process)}"
            )
        said = _said_at_the_end(process)
    return between(first, last, sockets, Memory(one_socket, open_bytes, busy_bytes), said)


@contextmanager
def _held(bench: Bench, hold: int) -> Iterator[Source]:
    arguments = ["--hold", str(hold), "--gap-us", str(bench.gap_us), *(["--poll"] if bench.poll else [])]
    with started(bench.program, *arguments, before=_pinned(bench.source_core)) as source:
        yield source


def _pinned(core: int) -> list[str]:
    return ["taskset", "-c", str(core)]


class _Process(Struct, frozen=True):
    """A generator under way, and where its words go."""

    popen: "subprocess.Popen[bytes]"
    folder: Path

    @property
    def pid(self) -> int:
        return self.popen.pid


@contextmanager
def _launched(bench: Bench, peer: Peer, source: Source, sockets: int) -> Iterator[_Process]:
    env = {
        **os.environ,
        **peer.env,
        "PYTHONPATH": str(BENCH),
        "PEER_TARGET": source.address,
        "PEER_SOCKETS": str(sockets),
        "PEER_SECONDS": str(bench.settling_s + bench.seconds + AFTER_S),
    }
    command = [*_pinned(bench.generator_core), *(word.format(sockets=sockets) for word in peer.command)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            popen = subprocess.Popen(
                command, cwd=folder, env=env, stdout=out, stderr=err, start_new_session=True
            )
        try:
            yield _Process(popen, folder)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(popen.pid, signal.SIGKILL)  # its whole group, which we started
            popen.wait()


def _wait_for_sockets(process: _Process, source: Source, sockets: int) -> None:
    deadline = time.monotonic() + OPENING_S
    while (there := int(_metrics(source)["streamgauge_server_connections"])) < sockets:
        if process.popen.poll() is not None:
            raise Failed(f"ended with {process.popen.returncode} and {there} sockets: {_last_words(process)}")
        if time.monotonic() > deadline:
            raise Failed(f"{there} of {sockets} sockets open after {OPENING_S} s: {_last_words(process)}")
        time.sleep(0.1)


def _said_at_the_end(process: _Process) -> Said:
    try:
        code = process.popen.wait(ENDING_S)
    except subprocess.TimeoutExpired:
        return Said(None, None)  # it was measured all the same
    said = said_in((process.folder / "out").read_text(errors="replace"))
    if said is None:
        raise Failed(f"ended with {code} and said nothing of its runs: {_last_words(process)}")
    return said


def _last_words(process: _Process) -> str:
    lines = (process.folder / "err").read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no message"


def _count(process: _Process, source: Source) -> Count:
    said = _metrics(source)
    return Count(
        time.monotonic_ns(),
        int(said["streamgauge_server_events_total"]),
        on_cpu_ns(_read_all(process.pid, "task/*/schedstat")),
        said["streamgauge_server_cpu_seconds"],
    )


def _metrics(source: Source) -> dict[str, float]:
    with urlopen(f"http://127.0.0.1:{source.port}/metrics", timeout=5) as answer:
        return totals(answer.read().decode())


def _resident_bytes(root: int) -> int:
    return _PAGE * sum(map(resident_pages, _read_all(root, "statm")))


def _read_all(root: int, pattern: str) -> Iterator[str]:
    """The files of this pattern of a process and its descendants, but those that end meanwhile."""
    parents = {int(path.parent.name): parent_of(text) for path, text in _texts(Path("/proc"), "[0-9]*/stat")}
    for pid in family(parents, root):
        for _, text in _texts(Path("/proc", str(pid)), pattern):
            yield text


def _texts(folder: Path, pattern: str) -> Iterator[tuple[Path, str]]:
    for path in folder.glob(pattern):
        with suppress(OSError):
            yield path, path.read_text()
