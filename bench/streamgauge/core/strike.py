"""What a proxy did to an event on purpose."""

from enum import StrEnum, auto

from msgspec import Struct


class Fault(StrEnum):
    """What may happen to an event."""

    DROP = auto()
    DOUBLE = auto()
    SWAP = auto()  # with the next message, where that is an event of the same run
    TRANSPLANT = auto()  # to another user's connection, and its owner lacks it


class Strike(Struct, frozen=True):
    """One event that was struck; the proxy's connections are counted from 1."""

    fault: Fault
    at_ns: int
    connection: int
    run: str
    kind: str
    seq: int = 0  # 0 where the protocol has none
    to: int = 0  # of a transplant: the connection it went to
    canary: str = ""  # digest of the token in it
