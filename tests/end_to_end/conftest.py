"""Runs the real command against real servers over real sockets."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import SECRET, Run, Server, Start, Started


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `python -m MODULE arguments` in a folder of its own."""
    started: list[Started] = []

    def start(module: str, *arguments: str, secret: str = "") -> Started:
        env = {"STREAMGAUGE_SECRET": secret} if secret else {}
        started.append(Started([sys.executable, "-m", module, *arguments], tmp_path, env))
        return started[-1]

    yield start
    for one in started:
        one.kill()


@pytest.fixture
def streamgauge(start: Start) -> Run:
    """Run `streamgauge arguments` to its end."""
    return lambda *arguments, secret="": start("streamgauge", *arguments, secret=secret).wait()


@pytest.fixture
def server(start: Start) -> Server:
    """A reference server on a free port, whose secret is SECRET."""
    process = start("reference_server", "--port", "0", secret=SECRET).process
    assert process.stdout is not None
    listening = re.search(r'"listening":"([^"]+)"', process.stdout.readline())
    assert listening is not None
    return Server(listening[1], process)
