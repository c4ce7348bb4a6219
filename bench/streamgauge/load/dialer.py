"""Opens sockets to the plan's target: from whichever local address is next, and through the TLS handshake.

The port is chosen when the socket connects, not when it is bound, so that it is taken
from the sockets to this target alone (IP_BIND_ADDRESS_NO_PORT, ip(7)).
"""

import errno
import os
import socket
import sys
import time
from typing import Any, Final

from gevent import socket as gsocket
from gevent.monkey import get_original
from msgspec import Struct

from streamgauge.plan import Plan
from streamgauge.sources import family_of, sources_of
from streamgauge.trust import trust
from streamgauge.wire import TlsChannel, TlsError, address_of
from streamgauge.wire.tls import HUNG_UP

_BIND_ADDRESS_NO_PORT: Final = 24  # linux/in.h; Python's socket module does not know it
_READ_BYTES: Final = 65_536


class Dialled(Struct, frozen=True):
    """A connected socket that does not block, and its TLS where the target speaks it."""

    socket: socket.socket
    channel: TlsChannel | None


class Dialer:
    """Opens one process's sockets to the target of `plan`.

    Raises `PlanError` where its CA file cannot be used, or this machine has none of its sources.
    """

    def __init__(self, plan: Plan) -> None:
        self._address = address_of(plan.target)
        self.context = trust(plan.target, plan.ca_file)
        self._named = bool(plan.sources)
        self._sources: dict[int, list[str]] = {socket.AF_INET: [], socket.AF_INET6: []}
        for source in sources_of(plan):
            self._sources[family_of(source)].append(source)
        self._timeout_s = plan.connect_timeout
        self._resolved: list[tuple[Any, ...]] = []  # a look-up for each of thousands of sockets is a load too

    def dial(self, number: int) -> Dialled:
        """The socket of connection `number`; raises `OSError`, whose text says why and what to do."""
        deadline = time.monotonic() + self._timeout_s
        sock = self._connect(number, deadline)
        if self.context is None:
            return Dialled(sock, None)
        try:
            channel = TlsChannel(self.context, self._address.host)
            _shake_hands(sock, channel, deadline)
        except BaseException:  # also a greenlet's end
            sock.close()
            raise
        return Dialled(sock, channel)

    def _connect(self, number: int, deadline: float) -> socket.socket:
        problem = OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        host, port = self._address.host, self._address.port
        self._resolved = self._resolved or gsocket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
        for family, kind, protocol, _, address in self._resolved:
            sock: socket.socket = get_original("socket", "socket")(family, kind, protocol)
            try:
                sock.setblocking(False)
                source = self._source(number, family, address)
                if source:
                    _bind(sock, source)
                code = sock.connect_ex(address)
                if code == errno.EINPROGRESS:
                    _wait(gsocket.wait_write, sock, deadline)
                    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not code:
                    return sock
                problem = OSError(code, why_not(code, source))
            except OSError as error:
                problem = error
            except BaseException:
                sock.close()
                raise
            sock.close()
        self._resolved = []  # the name may lead elsewhere by now
        raise problem

    def _source(self, number: int, family: int, address: tuple[Any, ...]) -> str:
        """The local address for connection `number` towards `address`; "" leaves it to the kernel."""
        if not self._named and not (family == socket.AF_INET and str(address[0]).startswith("127.")):
            return ""
        sources = self._sources[family]
        if self._named and not sources:
            raise OSError(errno.EADDRNOTAVAIL, f"sources: none can reach {address[0]}; name one of its kind")
        return sources[number % len(sources)] if sources else ""


def _bind(sock: socket.socket, source: str) -> None:
    if sys.platform == "linux":
        sock.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
    sock.bind((source, 0))


def why_not(code: int, source: str) -> str:
    """Why a socket from `source` could not be connected, and what to do where that is known."""
    if code != errno.EADDRNOTAVAIL:
        return os.strerror(code)
    return (
        f"no local port is left to connect from {source or 'one local address'}: widen "
        "net.ipv4.ip_local_port_range (sysctl), or name more local addresses (sources in the plan)"
    )


def _shake_hands(sock: socket.socket, channel: TlsChannel, deadline: float) -> None:
    """Go through the TLS handshake; raises `OSError`."""
    unsent = channel.begin()
    while True:
        while unsent:
            try:
                unsent = unsent[sock.send(unsent) :]
            except BlockingIOError:
                _wait(gsocket.wait_write, sock, deadline)
        if channel.fault:
            raise TlsError(channel.fault)
        if channel.open:
            return
        _wait(gsocket.wait_read, sock, deadline)
        data = sock.recv(_READ_BYTES)
        if not data:
            raise TlsError(HUNG_UP)
        if channel.receive(data):
            raise TlsError("it spoke before it was asked; is it a WebSocket?")
        unsent = channel.outgoing()


def _wait(ready: Any, sock: socket.socket, deadline: float) -> None:
    left_s = max(0.001, deadline - time.monotonic())
    ready(sock.fileno(), left_s, TimeoutError(errno.ETIMEDOUT, "timed out"))
