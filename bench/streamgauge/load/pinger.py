"""Pings servers whose clock is not ours, so that what they stamp can be mapped to our own."""

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from gevent import Greenlet, sleep, spawn

_EVERY_S: Final = 0.05  # over all connections of this process


class Pingable(Protocol):
    """A connection."""

    @property
    def open(self) -> bool:
        """Whether one can speak on it."""

    def ping(self) -> None:
        """Ask for the server's time."""


class Pinger:
    """Pings one connection after the other, for as long as there is one whose server has another clock."""

    def __init__(self, trouble: Callable[[str], None]) -> None:
        self._trouble = trouble
        self._turns: deque[Pingable] = deque()
        self._greenlet: Greenlet[..., None] | None = None

    def add(self, connection: Pingable) -> None:
        """A connection to such a server is open."""
        self._turns.append(connection)
        if self._greenlet is None:
            self._greenlet = spawn(self._guarded)

    def _guarded(self) -> None:
        try:
            self._ping()
        except Exception as error:  # noqa: BLE001 - gevent would only print it
            self._trouble(f"{type(error).__name__} between pings: {error}")

    def _ping(self) -> None:
        while True:
            if self._turns and (connection := self._turns.popleft()).open:
                connection.ping()
                self._turns.append(connection)
            sleep(_EVERY_S)

    def stop(self) -> None:
        """Ping nobody any more."""
        self._turns.clear()
        if self._greenlet is not None:
            self._greenlet.kill()
