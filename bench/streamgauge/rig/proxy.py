"""A proxy that stands in front of a server and does to its stream what networks and servers do wrong.

What happens is decided in `toxics` (bytes) and `strikes` (messages); here are the sockets.
Each direction holds a bounded number of bytes: where one side does not read, the other is
not read either.
"""

import asyncio
import contextlib
import random
import socket
import ssl
import struct
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from streamgauge.core.strike import Fault, Strike
from streamgauge.protocol import Dialect
from streamgauge.rig.request_head import END, MOST, owner_of, rewritten
from streamgauge.rig.strikes import Aim, Strikes
from streamgauge.rig.toxics import Ending, Flow, Recipe, draw_toxics
from streamgauge.wire import Address

MOST_HELD: Final = 1_048_576  # bytes on their way to one client, beyond which its server is not read
_READ: Final = 65_536
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: close by RST


class Settings(Struct, frozen=True):
    """What a proxy does; `after_s` is how long messages are left alone once the first client came."""

    recipe: Recipe = Recipe()
    aims: dict[Fault, Aim] = {}
    seed: int = 1
    most_message_bytes: int = 1_048_576
    provable: bool = False
    after_s: float = 0


class Counts(Struct, frozen=True):
    """What a proxy has done so far: `toxics` in connections, `strikes` in messages."""

    connections: int
    open: int
    bytes: int  # handed to clients
    toxics: dict[str, int]
    strikes: dict[str, int]


class Proxy:
    """The connections of one proxy; `told` hears of every message that is struck."""

    def __init__(
        self,
        target: Address,
        context: ssl.SSLContext | None,
        dialect: Dialect,
        settings: Settings,
        told: Callable[[Strike], None],
    ) -> None:
        self._target = target
        self._context = context
        self._dialect = dialect
        self._settings = settings
        self._told = told
        self._strikes: Strikes | None = None
        self._links: dict[int, _Link] = {}
        self._connections = 0
        self._bytes = 0
        self._toxics: Counter[str] = Counter()

    @property
    def counts(self) -> Counts:
        """What it has done so far."""
        struck = self._strikes.counts if self._strikes else dict.fromkeys(self._settings.aims, 0)
        named = {fault.value: many for fault, many in struck.items()}
        return Counts(self._connections, len(self._links), self._bytes, dict(self._toxics), named)

    async def listen(self, host: str, port: int) -> asyncio.Server:
        """Take clients from now on."""
        return await asyncio.start_server(self._serve, host, port, limit=_READ, backlog=1024)

    async def drain(self, within_s: float) -> None:
        """Wait until the connections have ended by themselves; the rest is cut off."""
        tasks = [link.task for link in self._links.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, from its first byte to the end."""
        self._connections += 1
        settings, number = self._settings, self._connections
        if settings.aims and self._strikes is None:
            self._strikes = Strikes(
                settings.aims,
                self._dialect,
                settings.seed,
                settings.most_message_bytes,
                provable=settings.provable,
                from_ns=time.monotonic_ns() + int(settings.after_s * 1e9),
            )
        rng = random.Random(f"{settings.seed} {number}")  # noqa: S311 - faults are to be repeatable
        task = asyncio.current_task()
        assert task is not None
        link = self._links[number] = _Link(Flow(draw_toxics(settings.recipe, rng), rng), writer, task)
        self._toxics.update(link.flow.toxics.names)
        try:
            await self._connect(number, link, reader)
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError):
            _reset(writer)  # the target is not there, or one of the two has gone without a word
        finally:
            del self._links[number]
            with contextlib.suppress(OSError, ssl.SSLError):
                writer.close()

    async def _connect(self, number: int, link: "_Link", reader: asyncio.StreamReader) -> None:
        target = self._target
        head = await _head(reader)
        from_server, to_server = await asyncio.open_connection(
            target.host,
            target.port,
            ssl=self._context,
            server_hostname=target.host if self._context else None,
            limit=_READ,
        )
        name = f"[{target.host}]" if ":" in target.host else target.host
        to_server.write(rewritten(head, f"{name}:{target.port}", plain=bool(self._settings.aims)))
        ways = [
            asyncio.create_task(self._from_server(number, link, from_server, owner_of(head))),
            asyncio.create_task(self._to_client(link)),
            asyncio.create_task(_to_server(link, reader, to_server)),
        ]
        try:
            # when the client has its end, nobody is left to speak
            await asyncio.wait(ways[1:], return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                if way.done():
                    way.result()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to_server.close()

    async def _from_server(
        self, number: int, link: "_Link", reader: asyncio.StreamReader, owner: str
    ) -> None:
        """Read what the server says, as far as there is room for it."""
        stream = self._strikes.enter(number, owner, lambda: link.is_full) if self._strikes else None
        try:
            while data := await _read(reader):
                now_ns = time.monotonic_ns()
                if self._strikes is None or stream is None:
                    link.send(data, now_ns)
                else:
                    for delivery in self._strikes.take(stream, data, now_ns):
                        if (to := self._links.get(delivery.stream.number)) is not None:
                            to.send(delivery.data, now_ns)
                    self._tell(self._strikes)
                await link.has_room()
        finally:
            if self._strikes is not None and stream is not None:
                link.send(self._strikes.leave(stream), time.monotonic_ns())
        link.end(time.monotonic_ns())

    def _tell(self, strikes: Strikes) -> None:
        committed, strikes.strikes = strikes.strikes, []
        for strike in committed:
            self._told(strike)

    async def _to_client(self, link: "_Link") -> None:
        """Write what is due when it is due, until the end that the toxics have for it."""
        while True:
            match await link.due():
                case bytes() as data:
                    link.writer.write(data)
                    await link.writer.drain()
                    self._bytes += len(data)
                case ending:
                    break
        if link.flow.toxics.ends_at >= 0 and link.flow.is_struck:
            self._toxics[_NAMES[ending]] += 1
        if ending is Ending.RESET:
            _reset(link.writer)
        elif ending is Ending.BLACKHOLE:
            await asyncio.Event().wait()  # until the client gives up


_NAMES: Final = {Ending.CLOSE: "cut", Ending.RESET: "reset", Ending.BLACKHOLE: "blackhole"}


class _Link:
    """What is on its way to one client, and who waits for it."""

    def __init__(self, flow: Flow, writer: asyncio.StreamWriter, task: "asyncio.Task[None]") -> None:
        self.flow = flow
        self.writer = writer
        self.task = task
        self._changed = asyncio.Event()  # there is more, or an end
        self._room = asyncio.Event()

    @property
    def is_full(self) -> bool:
        return self.flow.size >= MOST_HELD

    def send(self, data: bytes, now_ns: int) -> None:
        if data:
            self.flow.take(data, now_ns)
            self._changed.set()

    def end(self, now_ns: int) -> None:
        self.flow.take_eof(now_ns)
        self._changed.set()

    async def has_room(self) -> None:
        while self.is_full:
            self._room.clear()
            await self._room.wait()

    async def due(self) -> bytes | Ending:
        """Wait for the next that is due."""
        while True:
            now_ns = time.monotonic_ns()
            if (piece := self.flow.due(now_ns)) is not None:
                self._room.set()
                return piece
            self._changed.clear()
            next_ns = self.flow.next_ns
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if next_ns is None else (next_ns - now_ns) / 1e9):
                    await self._changed.wait()


async def _to_server(link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on what the client says; its end is the server's, too."""
    while data := await _read(reader):
        if link.flow.ended and link.flow.toxics.ending is Ending.BLACKHOLE and link.flow.is_struck:
            continue
        writer.write(data)
        await writer.drain()
    if link.flow.is_struck and link.flow.toxics.ending is Ending.BLACKHOLE:
        return
    if writer.can_write_eof():
        writer.write_eof()
        await asyncio.Event().wait()  # the server may have something left to say


async def _head(reader: asyncio.StreamReader) -> bytes:
    """The head of the request; what is none goes on as far as it came."""
    try:
        return await reader.readuntil(END)
    except asyncio.LimitOverrunError:
        return await reader.read(MOST)


async def _read(reader: asyncio.StreamReader) -> bytes:
    """What came; b"" at the end, however that came about."""
    try:
        return await reader.read(_READ)
    except (ConnectionError, ssl.SSLError):
        return b""


def _reset(writer: asyncio.StreamWriter) -> None:
    sock: socket.socket | None = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
