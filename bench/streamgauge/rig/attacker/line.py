"""One connection of an attacker or a bystander: any bytes out, messages in."""

import asyncio
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Self

from msgspec import Struct
from msgspec.structs import replace

from streamgauge.core.canary import foreign
from streamgauge.protocol.login import Login, headers, mint_token, subprotocols
from streamgauge.wire import ClientSession, Message, State, address_of

_READ_BYTES: Final = 65_536
_ABNORMAL: Final = 1006
_SEND_S: Final = 5.0  # within which the other side takes what is sent to it
_GONE_S: Final = 0.5  # within which a connection is gone that was closed
_MOST_BYTES: Final = 2**20  # of a message that a server sends


class Door(Struct, frozen=True):
    """How one gets in."""

    target: str
    login: Login
    secret: str
    context: ssl.SSLContext | None
    timeout_s: float

    def token(self, user: str, lifetime_s: float | None = None) -> str:
        """A good token of a user."""
        login = self.login
        if lifetime_s is not None:
            login = replace(login, lifetime=lifetime_s)
        return mint_token(user, self.secret, time.time(), login)

    def session(self, token: str | None, more: Mapping[str, str]) -> ClientSession:
        """A handshake with `more` headers; without a token nobody logs in."""
        names = {} if token is None else headers(self.login, token)
        offered = () if token is None else subprotocols(self.login, token)
        return ClientSession(
            self.target, headers={**names, **more}, subprotocols=offered, max_size=_MOST_BYTES
        )


class Line:
    """What is told about a connection: `answer` of its handshake, then the messages in order.

    `leaked` holds canaries that are not `canary`, its own.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        session: ClientSession,
        canary: str = "",
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._session = session
        self._canary = canary.encode()
        self._untaken: deque[Message] = deque()
        self._ended = False
        self.received = 0  # bytes
        self.answer = ""
        self.leaked = ""
        self.leaking = b""  # the first message, or other bytes, with such a canary
        self.leaked_ns = 0

    @classmethod
    async def open(
        cls,
        door: Door,
        token: str | None,
        *,
        canary: str = "",
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> Self:
        """Connect and shake hands; without a token nobody logs in. Raises `OSError`."""
        reader, writer = await dial(door)
        session = door.session(token, more)
        line = cls(reader, writer, session, canary)
        await line.send(session.open())
        deadline = time.monotonic() + door.timeout_s
        while (
            session.state is State.CONNECTING
            and not line._ended
            and (left := deadline - time.monotonic()) > 0
        ):
            line._untaken.extend(await line.read(left))
        refusal = session.refusal
        line.answer = f"http {refusal.status}" if refusal else "accepted" if line.is_open else "cut"
        return line

    @property
    def is_open(self) -> bool:
        """Whether more can be said and heard."""
        return self._session.state is State.OPEN and not self._ended and not self._session.fault

    @property
    def close_code(self) -> int:
        """The code that the server closed with; 1006 where it did not say, 0 while it has not."""
        return self._session.close_code or 0

    async def send(self, data: bytes) -> bool:
        """Send bytes as they are; that the other side is gone, shows when it is read.

        False: it takes no more, and some are still here after 5 s.
        """
        try:
            async with asyncio.timeout(_SEND_S):
                self._writer.write(data)
                await self._writer.drain()
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True

    async def say(self, message: bytes) -> bool:
        """Send a text message, if one still can; false as `send`."""
        return not self.is_open or await self.send(self._session.send_text(message))

    def hold_little(self) -> None:
        """Buffer little of what is not taken, so that it shows soon that the other side takes no more."""
        held: socket.socket = self._writer.get_extra_info("socket")
        held.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _READ_BYTES)

    async def read(self, within_s: float) -> list[Message]:
        """What the next read brings; nothing where the time is over or the connection ends."""
        if self._untaken:
            messages = [*self._untaken]
            self._untaken.clear()
            return messages
        try:
            async with asyncio.timeout(within_s):
                data = await self._reader.read(_READ_BYTES)
        except TimeoutError:
            return []
        except OSError:
            data = b""
        if not data:
            self._ended = True
            self._session.receive_eof()
            return []
        self.received += len(data)
        messages = self._session.receive(data)
        for message in messages:
            if self.leaked:
                break
            said = message if isinstance(message, bytes) else message.payload
            if leaked := foreign(said, self._canary):
                self.leaked, self.leaking, self.leaked_ns = leaked, said, time.monotonic_ns()
        if answer := self._session.outgoing():
            await self.send(answer)
        return messages

    async def take(self, wanted: Callable[[bytes], bool], within_s: float) -> bytes | None:
        """The next message that is wanted; those before it are passed over. None: none came in time."""
        deadline = time.monotonic() + within_s
        while True:
            messages = await self.read(max(0.0, deadline - time.monotonic()))
            for place, message in enumerate(messages):
                if isinstance(message, bytes) and wanted(message):
                    self._untaken.extend(messages[place + 1 :])
                    return message
            if time.monotonic() >= deadline or not (messages or self.is_open):
                return None

    async def end(self, within_s: float) -> str:
        """How the connection ends: `close CODE`, `cut`, or `kept` where it does not in time."""
        deadline = time.monotonic() + within_s
        while not self._ended and not self.close_code and (left := deadline - time.monotonic()) > 0:
            await self.read(left)
        if self.close_code == _ABNORMAL:
            return "cut"
        return f"close {self.close_code}" if self.close_code else "cut" if self._ended else "kept"

    async def end_or_quiet(self, quiet_s: float, within_s: float) -> str:
        """As `end`, as long as something comes in every `quiet_s`."""
        deadline = time.monotonic() + within_s
        ended, before = "kept", -1
        while ended == "kept" and before < self.received and time.monotonic() < deadline:
            before = self.received
            await self.read(quiet_s)
            ended = await self.end(0)
        return ended

    async def leave(self) -> None:
        """Close, and wait a moment until it is done: the server may let in only so many of a user."""
        if self.is_open:
            await self.send(self._session.close())
            deadline = time.monotonic() + _GONE_S
            while not self._ended and (left := deadline - time.monotonic()) > 0:
                self._untaken.clear()
                await self.read(left)
        self.drop()

    def drop(self) -> None:
        """Hang up."""
        self._writer.transport.abort()


async def dial(door: Door) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A bare connection, over TLS where the target is wss://. Raises `OSError`."""
    address = address_of(door.target)
    async with asyncio.timeout(door.timeout_s):
        return await asyncio.open_connection(address.host, address.port, ssl=door.context)
