"""What a session hands out."""

from typing import Literal

from msgspec import Struct

Where = Literal["ping", "pong", "close", "unfinished message", "refused frame"]


class Unreadable(Struct, frozen=True):
    """A message of `size` bytes, its `payload`, that is no text: `reason` is "binary" or "invalid UTF-8"."""

    reason: str
    size: int
    payload: bytes = b""


class Aside(Struct, frozen=True):
    """What a server said in bytes that are no message, where there were enough of them to leak anything.

    `payload` is that of a control frame (with the code of a close), the pieces of a message that was
    never finished because the protocol was broken, or the whole frame that broke it, as it came.
    """

    where: Where
    payload: bytes


Message = bytes | Unreadable | Aside
"""The UTF-8 bytes of a text, bare because there are millions of them, or what stands for all else."""
