"""The misbehaving server of `peer_server`, in a process of its own."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.certificates import Shown
from tests.support.command import ROOT

PATIENCE_S = 10


class Peer:
    """The server, as the tests know it."""

    def __init__(self, process: subprocess.Popen[bytes], scheme: str) -> None:
        self._scheme = scheme
        assert process.stdout is not None
        self._said = process.stdout.fileno()
        self._unread = b""
        self._port = self.heard()

    def address(self, behaviour: str) -> str:
        return f"{self._scheme}://127.0.0.1:{self._port}/{behaviour}"

    def heard(self) -> Any:
        """What it tells next of what was said to it; a hub goes on meanwhile."""
        while b"\n" not in self._unread:
            ready, _, _ = select.select([self._said], [], [], PATIENCE_S)
            assert ready, "the server heard nothing"
            self._unread += os.read(self._said, 65_536)
        line, _, self._unread = self._unread.partition(b"\n")
        return json.loads(line)


@contextmanager
def peer_server(shown: Shown | None = None) -> Iterator[Peer]:
    """The server; where it has a certificate to show, over TLS."""
    command = [sys.executable, "-m", "tests.support.peer_server", *map(str, shown or ())]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Peer(process, "wss" if shown else "ws")
        finally:
            process.communicate()  # closes its standard input: it ends with us
