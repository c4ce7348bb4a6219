"""What a session hands out."""

from msgspec import Struct


class Unreadable(Struct, frozen=True):
    """A message of `size` bytes that is no text: `reason` is "binary" or "invalid UTF-8"."""

    reason: str
    size: int


Message = bytes | Unreadable
"""The UTF-8 bytes of a text, bare because there are millions of them, or what stands for another message."""
