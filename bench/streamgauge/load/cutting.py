"""Cuts a connection at a byte of what is received, which no message need end with."""

from typing import Protocol

from streamgauge.load.transport import Owner


class Cut(Owner, Protocol):
    """What can be cut."""

    def cut(self) -> None:
        """Let go without a word."""


class Cutting:
    """Stands between a transport and its `owner`, who hears `size` more bytes, and is cut then."""

    __slots__ = ("_left", "_owner")

    def __init__(self, owner: Cut, size: int) -> None:
        self._owner = owner
        self._left = size

    def heard(self, data: bytes | memoryview, now_ns: int, kernel_ns: int, *, whole: bool = True) -> None:
        """Pass on what is left to be heard."""
        taken = data[: self._left]
        self._left -= len(taken)
        # the stamp is of the last byte that was read, which may be beyond the cut
        self._owner.heard(taken, now_ns, kernel_ns, whole=whole and len(taken) == len(data))
        if not self._left:
            self._owner.cut()

    def ended(self, now_ns: int) -> None:
        self._owner.ended(now_ns)

    def failed(self, error: Exception) -> None:
        self._owner.failed(error)
