"""The proxy as a process: where it listens, what it tells, and how it ends."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec
import uvloop
from msgspec import Struct

from streamgauge.core.strike import Strike
from streamgauge.protocol import PROTOCOLS
from streamgauge.rig.proxy import Proxy, Settings
from streamgauge.trust import trust
from streamgauge.wire import address_of

_encode = msgspec.json.Encoder().encode


class Place(Struct, frozen=True):
    """Where a proxy listens, what it leads to, and how the messages are read."""

    target: str
    protocol: str = "native"
    ca_file: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    path: str = "/"  # of the address that is told: requests bring their own
    drain_s: float = 10


def run_proxy(place: Place, settings: Settings, log: Path | None) -> None:
    """Serve until SIGINT or SIGTERM; the first line told is where it listens, the last what it has done.

    SIGUSR1 has the counts told at any time; every strike goes to `log` as a line of JSON.
    Raises `OSError` where it cannot listen or the log cannot be opened, `PlanError` for the CA file.
    """
    context = trust(place.target, place.ca_file)
    if log is None:
        _run(Proxy(address_of(place.target), context, PROTOCOLS[place.protocol], settings, _untold), place)
        return
    with log.open("ab", buffering=0) as lines:
        told = _teller(lines)
        _run(Proxy(address_of(place.target), context, PROTOCOLS[place.protocol], settings, told), place)


def _run(proxy: Proxy, place: Place) -> None:
    uvloop.run(_serve(proxy, place))


def _untold(_: Strike) -> None:
    """Nobody wants every one."""


def _teller(lines: IO[bytes]) -> Callable[[Strike], None]:
    return lambda strike: _forget(lines.write(_encode(strike) + b"\n"))


def _forget(_: int) -> None:
    """A file without a buffer takes a line whole."""


async def _serve(proxy: Proxy, place: Place) -> None:
    loop = asyncio.get_running_loop()
    stop, cut = asyncio.Event(), asyncio.Event()
    server = await proxy.listen(place.host, place.port)

    def end() -> None:
        (cut if stop.is_set() else stop).set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGUSR1, lambda: _tell(proxy.counts))
    port = server.sockets[0].getsockname()[1]
    host = f"[{place.host}]" if ":" in place.host else place.host
    _tell({"listening": f"ws://{host}:{port}{place.path}", "port": port, "pid": os.getpid()})
    await stop.wait()
    server.close()  # who is connected stays so for a while
    drained = asyncio.create_task(proxy.drain(place.drain_s))
    told = asyncio.create_task(cut.wait())
    await asyncio.wait([drained, told], return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    drained.cancel()
    await proxy.drain(0)
    _tell(proxy.counts)


def _tell(what: object) -> None:
    sys.stdout.write(_encode(what).decode() + "\n")
    sys.stdout.flush()
