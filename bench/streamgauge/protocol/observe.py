"""Turns the bytes of one connection's messages into rows."""

from collections.abc import Sequence
from typing import Final

import msgspec

from streamgauge.core.canary import PREFIX, foreign
from streamgauge.core.observation import Malformed, Overheard, Received, Stretch
from streamgauge.protocol.dialect import Echo, Reader, Request, Unreadable

_BACKSLASH: Final = ord("\\")


class Observer:
    """Scans, decodes and stamps the messages of one connection.

    `canary` is the connection's own token; `max_bytes` the size that a message may
    have.
    """

    def __init__(self, conn: int, canary: str, reader: Reader, max_bytes: int) -> None:
        self._conn = conn
        self._canary = canary.encode()
        self._reader = reader
        self._read = reader.read
        self._max_bytes = max_bytes

    def expect(self, request: Request, echo: Echo) -> None:
        """The user asked: what is observed from now on may answer that request, and repeat its echo."""
        self._reader.expect(request, echo)

    def gather(
        self, messages: Sequence[object], start: int, at_ns: int, kernel_ns: int, *, exact: bool
    ) -> Stretch | None:
        """As many of a read's messages from `messages[start]` on as are plain events of one run, if any.

        `exact` tells that the stamp is that of the last message of all.
        """
        read = (self._conn, at_ns, kernel_ns, exact)
        return self._reader.gather(messages, start, self._canary, self._max_bytes, read)

    def observe(self, message: bytes, at_ns: int, kernel_ns: int, *, exact: bool) -> Received | Malformed:
        """One message, read at `at_ns`; `kernel_ns` 0 where there is no stamp."""
        # before and apart from decoding: a leak shows whatever the message is
        leaked = ""
        if message.count(PREFIX) != message.count(self._canary):
            leaked = foreign(message, self._canary)
        if message.find(_BACKSLASH) >= 0:
            leaked = leaked or self._escaped(message)
        size = len(message)
        if size > self._max_bytes:
            return Malformed(self._conn, at_ns, size, f"larger than {self._max_bytes} bytes", leaked)
        try:
            event, joined = self._read(message)
        except Unreadable as error:
            return Malformed(self._conn, at_ns, size, str(error), leaked)
        if joined:
            tokens = f"{leaked} {foreign(joined, self._canary)}".split()
            leaked = " ".join(dict.fromkeys(tokens))
        return Received(self._conn, at_ns, kernel_ns, exact, size, event, leaked)

    def refuse(self, message: bytes, at_ns: int, size: int, why: str) -> Malformed:
        """A message of `size` bytes that is no text; `message` is what was kept of it."""
        return Malformed(self._conn, at_ns, size, why, self._leaked(message))

    def overhear(self, said: bytes, at_ns: int, where: str) -> Overheard | None:
        """Bytes that are no message; None where no canary of others is in them."""
        leaked = self._leaked(said)
        return Overheard(self._conn, at_ns, len(said), where, leaked) if leaked else None

    def _leaked(self, data: bytes) -> str:
        return foreign(data, self._canary) or self._escaped(data)

    def _escaped(self, message: bytes) -> str:
        """What is found where letters were written as escapes of Unicode, which JSON allows of any."""
        if b"\\u" not in message:
            return ""
        try:
            plain = msgspec.json.encode(msgspec.json.decode(message))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return ""  # no JSON: that is another rule's finding
        return foreign(plain, self._canary)
