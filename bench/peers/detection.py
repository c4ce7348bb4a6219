"""Shows which load generators see a broken server: `make compare-detection`.

    python -m peers.detection                          # all: some 8 minutes
    python -m peers.detection --only streamgauge --only k6 --seconds 5

The reference server drops, doubles, swaps or misdirects one event in one run of twenty;
each generator's natural script (bench/peers/natural) asks it for some seconds, and is
believed at its word: its exit code, and the failures that it counts itself. The server
counts how often it struck. A correct server stands beside, for false alarms.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.request import urlopen

import jwt
from msgspec import Struct

from peers.installing import NotInstalled, install
from peers.natural.testers import OURS, TESTERS, Tester

FOLDER: Final = Path(__file__).parents[2] / ".peers"
NAMES: Final = tuple(tester.name for tester in TESTERS)
SECRET: Final = "only-for-a-server-of-this-comparison"  # noqa: S105 - it ends with the command
USERS: Final = 10
RATE: Final = 0.05
FAULTS: Final = ("", "drop", "duplicate", "swap", "shared-global")  # "": a correct server
TITLES: Final = ("correct server", "drops", "doubles", "swaps", "misdirects")
ENDING_S: Final = 60  # beyond the seconds of asking, until a tester must have ended
STRIKES: Final = "streamgauge_server_fault_strikes"


class Seen(Struct, frozen=True):
    """What one tester said of one server."""

    code: int | None  # None: it had not ended in time
    passed: int
    failed: int
    strikes: int

    @property
    def flagged(self) -> bool:
        """Whether somebody who looks at the exit code or at the summary knows that something is wrong."""
        return self.code != 0 or self.failed > 0


def main() -> None:
    """Install, test, print the table."""
    given = arguments(sys.argv[1:])
    rows: dict[str, list[Seen | str]] = {}
    for tester in TESTERS:
        if tester.name not in (given.only or NAMES):
            continue
        try:
            places = install(tester, FOLDER)
        except NotInstalled as error:
            rows[tester.name] = [f"not installed: {error}"] * len(FAULTS)
            continue
        rows[tester.name] = [looked(tester, places, fault, given.seconds) for fault in FAULTS]
    for line in table(rows):
        print(line)  # noqa: T201 - it is the command's output
    if any(isinstance(seen, str) for row in rows.values() for seen in row):
        sys.exit(3)  # what was not tried is no result


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", action="append", choices=NAMES, help="repeatable; default: all")
    parser.add_argument("--seconds", type=float, default=10, help="of asking (default: 10)")
    given = parser.parse_args(words)
    if given.seconds < 1:
        parser.error("--seconds: at least 1")
    return given


def looked(tester: Tester, places: Mapping[str, str], fault: str, seconds: float) -> Seen:
    """Have a tester look at a server."""
    say(f"{tester.name}: {fault or 'a correct server'}")
    with tempfile.TemporaryDirectory() as name, server(fault) as target:
        folder = Path(name)
        users = folder / "users.csv"
        users.write_text("".join(f"{line}\n" for line in credentials()))
        env = {
            **os.environ,
            **{key: value.format_map(places) for key, value in tester.env.items()},
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "PEER_TARGET": target,
            "PEER_USERS": str(users),
            "PEER_SECONDS": str(seconds),
            "STREAMGAUGE_SECRET": SECRET,
        }
        words = {**places, "seconds": f"{seconds:g}", "target": target}
        command = [word.format_map(words) for word in tester.command]
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            process = subprocess.Popen(
                command, stdout=out, stderr=err, env=env, cwd=folder, start_new_session=True
            )
            try:
                code = process.wait(seconds + ENDING_S)
            except subprocess.TimeoutExpired:
                return Seen(None, 0, 0, strikes(target))
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # its whole group, which we started
                process.wait()
        passed, failed = tester.told((folder / "out").read_text(errors="replace"), folder)
        return Seen(code, passed, failed, strikes(target))


def credentials() -> Iterator[str]:
    """Of each user: its name, its token, and the token as a subprotocol carries it."""
    for number in range(USERS):
        user = f"u{number}"
        claims = {"sub": user, "aud": "streamgauge", "exp": int(time.time()) + 3600}
        token = jwt.encode(claims, SECRET, algorithm="HS256")
        yield f"{user},{token},{jwt.utils.base64url_encode(token.encode()).decode()}"


@contextmanager
def server(fault: str) -> Iterator[str]:
    """A reference server that commits the fault in one run of twenty; its address."""
    command = [sys.executable, "-m", "reference_server", "--port", "0", "--measure"]
    if fault:
        command += ["--fault", f"{fault}:{RATE}"]
    env = {**os.environ, "STREAMGAUGE_SECRET": SECRET}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["listening"]
        finally:
            process.kill()


def strikes(target: str) -> int:
    """How often the fault struck, by the server's own count."""
    address = target.replace("ws://", "http://").replace("/ws", "/metrics")
    with urlopen(address, timeout=5) as answer:
        found = re.findall(rf"^{STRIKES}_total.* (\S+)$", answer.read().decode(), re.MULTILINE)
    return sum(round(float(number)) for number in found)


def table(rows: Mapping[str, Sequence[Seen | str]]) -> Iterator[str]:
    """A table in Markdown, one row a tester."""
    yield "| | " + " | ".join(TITLES) + " |"
    yield "|---|" + "---|" * len(TITLES)
    for name, row in rows.items():
        shown = f"**{name}**" if name == OURS else name
        yield f"| {shown} | " + " | ".join(map(cell, row)) + " |"


def cell(seen: Seen | str) -> str:
    """Flagged or not, by what; and how often there was something to see."""
    if isinstance(seen, str):
        return seen
    if seen.code is None:
        verdict = "did not end"
    elif seen.flagged:
        verdict = f"**flagged**: exit {seen.code}, {seen.failed} of {seen.passed + seen.failed} failed"
    else:
        verdict = f"not flagged: exit 0, {seen.passed} passed"
    return f"{verdict}; {seen.strikes} strikes" if seen.strikes else verdict


def say(text: str) -> None:
    """What it is doing."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress


if __name__ == "__main__":
    main()
