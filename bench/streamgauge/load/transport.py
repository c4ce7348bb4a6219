"""One socket: read at all times by a libev watcher, written to whenever it takes something.

A callback never blocks and never lets an exception out (libev would silently stop
watching). Whoever owns a transport is told what arrived and when, and that it is gone.
"""

import contextlib
import socket
import struct
import sys
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from gevent import get_hub

from streamgauge.load.stamps import ANCILLARY_BYTES, KernelClock
from streamgauge.wire import TlsChannel

_READ: Final = 1  # libev's event masks
_WRITE: Final = 2
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time
_GONE: Final = (7, 8)  # TCP_CLOSE and TCP_CLOSE_WAIT of Linux: reset, or ended by the other side
_SCRATCH: Final = memoryview(bytearray(256 * 1024))  # one for all sockets: a callback never blocks


class Owner(Protocol):
    """Who is told; nothing of it may block."""

    def heard(self, data: bytes | memoryview, now_ns: int, kernel_ns: int, *, whole: bool = True) -> None:
        """Bytes were read at `now_ns`, the last of them received at `kernel_ns` (0: no stamp).

        Where they are not the `whole` of what was read, as under TLS, that is an upper bound.
        """

    def ended(self, now_ns: int) -> None:
        """The other side ended the stream, or it broke."""

    def failed(self, error: Exception) -> None:
        """The owner itself raised `error`: this socket cannot go on."""


class Transport:
    """The bytes of one connection, from dialling to letting go; with a `channel`, over TLS."""

    __slots__ = (
        "_channel",
        "_clock",
        "_outgoing",
        "_owner",
        "_reader",
        "_recvmsg_into",
        "_socket",
        "_writer",
    )

    def __init__(
        self, owner: Owner, clock: KernelClock, sock: socket.socket, channel: TlsChannel | None = None
    ) -> None:
        self._owner = owner
        self._channel = channel
        self._clock = clock
        self._outgoing = b""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        clock.stamp(sock)
        self._socket = sock
        self._recvmsg_into: Callable[..., tuple[int, list[tuple[int, int, bytes]], int, object]]
        self._recvmsg_into = sock.recvmsg_into
        self._reader = get_hub().loop.io(sock.fileno(), _READ)
        self._writer: Any = None  # made when it is needed, which is seldom: thousands of them take room
        self._reader.start(self._guarded, self._read)

    def send(self, data: bytes) -> None:
        """Write in order; what the socket does not take at once is written when it can."""
        self._put(data if self._channel is None else self._channel.seal(data))

    def _put(self, data: bytes) -> None:
        if self._outgoing:
            self._outgoing += data
            return
        self._outgoing = data
        self._write()

    @property
    def unsent(self) -> int:
        """Bytes that the socket did not take yet."""
        return len(self._outgoing)

    @property
    def fault(self) -> str | None:
        """What broke TLS, if anything did."""
        return None if self._channel is None else self._channel.fault

    def hand_over(self, owner: Owner) -> None:
        """Tell another one from now on."""
        self._owner = owner

    def freeze(self) -> None:
        """Read nothing any more, and let the kernel take next to nothing; the socket stays open."""
        self._reader.stop()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # it takes its own least

    @property
    def is_left(self) -> bool:
        """Whether the other side has ended a frozen connection; always False where only Linux tells."""
        if sys.platform != "linux":
            return False
        return self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] in _GONE

    def reset(self) -> None:
        """Let go with a reset, and whatever is under way is lost."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._channel = None  # without the goodbye of TLS
        self.close()

    def close(self) -> None:
        """Let go; nothing is heard or written any more."""
        if self._channel is not None and not self._outgoing:
            with contextlib.suppress(OSError):
                self._socket.send(self._channel.close())
        self._stop_writing()
        self._reader.stop()
        self._reader.close()
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
        if not size:
            self._owner.ended(now_ns)
        elif self._channel is None:
            self._owner.heard(_SCRATCH[:size], now_ns, self._clock.arrival_ns(ancillary, now_ns))
        else:
            self._unseal(self._channel, size, now_ns, self._clock.arrival_ns(ancillary, now_ns))

    def _unseal(self, channel: TlsChannel, size: int, now_ns: int, kernel_ns: int) -> None:
        """Have the owner hear the plaintext of what was read, if it is any, and of the end of TLS."""
        plaintext = channel.receive(_SCRATCH[:size])
        if answer := channel.outgoing():
            self._put(answer)
        if plaintext:
            self._owner.heard(plaintext, now_ns, kernel_ns, whole=channel.exact)
        if (channel.ended or channel.fault) and self._socket.fileno() >= 0:  # else the owner left already
            self._owner.ended(now_ns)

    def _write(self) -> None:
        try:
            sent = self._socket.send(self._outgoing)
        except BlockingIOError:
            sent = 0
        except OSError:
            sent = len(self._outgoing)  # lost: the reader will be told why
        self._outgoing = self._outgoing[sent:]
        if not self._outgoing:
            self._stop_writing()
        elif self._writer is None:
            self._writer = get_hub().loop.io(self._socket.fileno(), _WRITE)
            self._writer.start(self._guarded, self._write)

    def _stop_writing(self) -> None:
        if self._writer is not None:
            self._writer.stop()
            self._writer.close()
            self._writer = None
