"""One socket: read at all times by a libev watcher, written to whenever it takes something.

A callback never blocks and never lets an exception out (libev would silently stop
watching). Whoever owns a transport is told what arrived and when, and that it is gone.
"""

import errno
import os
import socket
import time
from collections.abc import Callable
from typing import Final, Protocol

from gevent import get_hub
from gevent import socket as gsocket
from gevent.monkey import get_original

from streamgauge.load.stamps import ANCILLARY_BYTES, KernelClock

_READ: Final = 1  # libev's event masks
_WRITE: Final = 2
_SCRATCH: Final = memoryview(bytearray(256 * 1024))  # one for all sockets: a callback never blocks


class Owner(Protocol):
    """Who is told; nothing of it may block."""

    def heard(self, data: memoryview, now_ns: int, kernel_ns: int) -> None:
        """Bytes were read at `now_ns`, the last of them received at `kernel_ns` (0: no stamp)."""

    def ended(self, now_ns: int) -> None:
        """The other side ended the stream, or it broke."""

    def failed(self, error: Exception) -> None:
        """The owner itself raised `error`: this socket cannot go on."""


def dial(host: str, port: int, timeout_s: float) -> socket.socket:
    """A connected socket that does not block, without gevent's own watchers; raises `OSError`."""
    problem = OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    for family, kind, number, _, address in gsocket.getaddrinfo(host, port, 0, socket.SOCK_STREAM):
        sock: socket.socket = get_original("socket", "socket")(family, kind, number)
        sock.setblocking(False)
        try:
            if (code := sock.connect_ex(address)) == errno.EINPROGRESS:
                gsocket.wait_write(sock.fileno(), timeout_s, TimeoutError(errno.ETIMEDOUT, "timed out"))
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not code:
                return sock
            problem = OSError(code, os.strerror(code))
        except OSError as error:
            problem = error
        sock.close()
    raise problem


class Transport:
    """The bytes of one connection, from dialling to letting go."""

    __slots__ = (
        "_clock",
        "_outgoing",
        "_owner",
        "_reader",
        "_recvmsg_into",
        "_socket",
        "_writer",
        "_writing",
    )

    def __init__(self, owner: Owner, clock: KernelClock, sock: socket.socket) -> None:
        self._owner = owner
        self._clock = clock
        self._outgoing = b""
        self._writing = False
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        clock.stamp(sock)
        self._socket = sock
        self._recvmsg_into: Callable[..., tuple[int, list[tuple[int, int, bytes]], int, object]]
        self._recvmsg_into = sock.recvmsg_into
        loop = get_hub().loop
        self._reader = loop.io(sock.fileno(), _READ)
        self._writer = loop.io(sock.fileno(), _WRITE)
        self._reader.start(self._guarded, self._read)

    def send(self, data: bytes) -> None:
        """Write in order; what the socket does not take at once is written when it can."""
        if self._outgoing:
            self._outgoing += data
            return
        self._outgoing = data
        self._write()

    @property
    def unsent(self) -> int:
        """Bytes that the socket did not take yet."""
        return len(self._outgoing)

    def close(self) -> None:
        """Let go; nothing is heard or written any more."""
        for watcher in (self._reader, self._writer):
            watcher.stop()
            watcher.close()
        self._socket.close()

    def _guarded(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception as error:  # noqa: BLE001 - libev would stop watching: fail the connection, and say so
            self._owner.failed(error)

    def _read(self) -> None:
        try:
            size, ancillary, _, _ = self._recvmsg_into((_SCRATCH,), ANCILLARY_BYTES)
        except BlockingIOError:
            return
        except OSError:
            size, ancillary = 0, []
        now_ns = time.monotonic_ns()
        if size:
            self._owner.heard(_SCRATCH[:size], now_ns, self._clock.arrival_ns(ancillary, now_ns))
        else:
            self._owner.ended(now_ns)

    def _write(self) -> None:
        try:
            sent = self._socket.send(self._outgoing)
        except BlockingIOError:
            sent = 0
        except OSError:
            sent = len(self._outgoing)  # lost: the reader will be told why
        self._outgoing = self._outgoing[sent:]
        if self._outgoing and not self._writing:
            self._writer.start(self._guarded, self._write)
        elif self._writing and not self._outgoing:
            self._writer.stop()
        self._writing = bool(self._outgoing)
