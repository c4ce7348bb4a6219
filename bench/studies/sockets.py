"""Many verified sockets on one machine: how fast they open, what each takes, and that nothing is lost.

    python bench/studies/sockets.py                                  # 15,000 users, two generator processes
    python bench/studies/sockets.py --users 2000 --duration 20s      # a short one
    python bench/studies/sockets.py --tls                            # the same over TLS

Generator and server are on this machine together. What a socket takes is the resident
memory of all processes of a side when all sockets are open, less that with a few (`--few`),
over the sockets between; at the end of the load it holds what is known of the runs, too.
How fast they open is read off the recordings, between a tenth of them and nine tenths. Each
run leaves its folder in `--results`.
"""

import argparse
import json
import os
import re
import secrets
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from msgspec import Struct

from streamgauge.core.observation import Opened
from streamgauge.core.recording import Recording

_EVERY_S: Final = 0.25
_PAGE: Final = os.sysconf("SC_PAGESIZE")


class Moment(Struct, frozen=True):
    """How it stood at one time: connections by the server's count, resident bytes of either side."""

    at_s: float
    connections: int
    generator_bytes: int
    server_bytes: int


def main() -> None:
    """A run with few sockets, one with all, and what lies between."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--users", type=int, default=15_000)
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--spawn-rate", type=int, default=2_000)
    parser.add_argument("--interval", default="15s", help="mean time between two requests of a user")
    parser.add_argument("--duration", default="45s")
    parser.add_argument("--tls", action="store_true", help="by a certificate made for it (trustme)")
    parser.add_argument("--results", type=Path, default=Path("results"))
    given = parser.parse_args()
    few, _ = measured(given, given.few)
    many, folder = measured(given, given.users)
    for line in table(given, few, many, folder):
        print(line)  # noqa: T201 - it is the command's output


def measured(given: argparse.Namespace, users: int) -> tuple[list[Moment], Path]:
    """One run: how it went, and where its results lie."""
    secret = secrets.token_urlsafe(32)
    command = [sys.executable, "-m", "streamgauge", "run", "--users", str(users)]
    command += ["--processes", str(given.processes), "--spawn-rate", str(given.spawn_rate)]
    command += ["--interval", given.interval, "--duration", given.duration, "--results", str(given.results)]
    with certified(tls=given.tls) as trust, served(secret, users, trust) as (server, target):
        if trust:
            command += ["--ca-file", str(trust / "client.pem")]
        environment = {**os.environ, "STREAMGAUGE_SECRET": secret}
        generator = subprocess.Popen(
            [*command, "--target", target], env=environment, stdout=subprocess.DEVNULL
        )
        moments = []
        while generator.poll() is None:
            with suppress(OSError):  # a server that is busy with handshakes may not answer
                moments.append(moment(generator.pid, server, target, trust))
            time.sleep(_EVERY_S)
    return moments, max(given.results.glob("*-steady-*/"), key=lambda path: path.stat().st_mtime)


@contextmanager
def certified(*, tls: bool) -> Iterator[Path | None]:
    """A folder with a server's certificate and key, and what its clients trust; None without TLS."""
    if not tls:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "trustme", "-q", "-i", "127.0.0.1", "-d", folder], check=True)
        yield Path(folder)


@contextmanager
def served(secret: str, users: int, trust: Path | None) -> Iterator[tuple[int, str]]:
    """The reference server: its process, and its address."""
    command = [sys.executable, "-m", "reference_server", "--port", "0", "--max-connections", str(users + 100)]
    if trust:
        command += ["--tls-cert", str(trust / "server.pem"), "--tls-key", str(trust / "server.key")]
    with subprocess.Popen(
        command, env={**os.environ, "STREAMGAUGE_SECRET": secret}, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.pid, json.loads(process.stdout.readline())["listening"]
        finally:
            process.terminate()


def moment(generator: int, server: int, target: str, trust: Path | None) -> Moment:
    """How it stands now."""
    address = re.sub(r"^ws(.*)/ws$", r"http\1/metrics", target)
    context = ssl.create_default_context(cafile=trust / "client.pem") if trust else None
    with urlopen(address, timeout=2, context=context) as answer:
        (count,) = re.findall(r"^streamgauge_server_connections (\S+)$", answer.read().decode(), re.MULTILINE)
    family = [generator, *descendants(generator)]
    return Moment(time.monotonic(), int(float(count)), sum(map(resident, family)), resident(server))


def descendants(root: int) -> Iterator[int]:
    """The processes that a process started, and those that they did."""
    with suppress(OSError):
        for child in Path(f"/proc/{root}/task/{root}/children").read_text().split():
            yield int(child)
            yield from descendants(int(child))


def resident(pid: int) -> int:
    """Resident bytes; 0 of a process that has ended."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return 0


def table(
    given: argparse.Namespace, few: Sequence[Moment], many: Sequence[Moment], folder: Path
) -> Iterator[str]:
    """What came of it, a line each."""
    report = json.loads((folder / "report.json").read_bytes())
    (small, small_end), (large, large_end) = full(few), full(many)
    between = large.connections - small.connections
    counts = report["counts"]
    yield "| | |"
    yield "|---|---|"
    yield f"| sockets open at once | {large.connections:,} of {given.users:,} |"
    yield f"| opened per second | {opened_per_s(folder):,.0f} |"
    for side in ("generator", "server"):
        held, end = (
            (getattr(more, f"{side}_bytes") - getattr(less, f"{side}_bytes")) / between / 1024
            for less, more in ((small, large), (small_end, large_end))
        )
        yield f"| resident a socket, {side} | {held:.1f} KB when all are open, {end:.1f} KB at the end |"
    yield f"| events verified | {counts['events']:,}, {report['events_per_s']:,.0f}/s |"
    yield f"| runs whole | {counts['runs with the full sequence']:,} of {counts['runs expected whole']:,} |"
    yield f"| findings | {sum(verdict['found'] for verdict in report['verdicts'])} |"
    yield f"| verdict | {report['outcome']} |"
    for doubt in report["doubts"]:
        yield f"| doubt | {doubt['name']}: {doubt['value']}, limit {doubt['limit']} |"


def full(moments: Sequence[Moment]) -> tuple[Moment, Moment]:
    """The first moment with the most sockets, and the last."""
    most = max(moment.connections for moment in moments)
    those = [moment for moment in moments if moment.connections == most]
    return those[0], those[-1]


def opened_per_s(folder: Path) -> float:
    """Sockets a second, from when a tenth was greeted until nine tenths were."""
    recordings = [Recording.of(path.read_bytes()) for path in folder.glob("recording/*.sgr")]
    opened = sorted(row.at_ns for one in recordings for row in one.rows if isinstance(row, Opened))
    first, last = len(opened) // 10, len(opened) * 9 // 10
    return (last - first) / (opened[last] - opened[first]) * 1e9


if __name__ == "__main__":
    main()
