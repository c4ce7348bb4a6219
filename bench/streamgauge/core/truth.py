"""What a server with known delays says of the events that it sent: a line of JSON each."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct


class Sent(Struct, frozen=True, array_like=True, gc=False):
    """One event on its way out; times in ns of the server's monotonic clock.

    `emitted_ns` stands in the event. `sent_ns` was read just before the system call that
    sent it, `returned_ns` just after: the packet was on its way between the two.
    """

    run: str
    seq: int
    emitted_ns: int
    sent_ns: int
    returned_ns: int


class TruthError(ValueError):
    """The bytes are no truth file, or a damaged one."""


def encode(truth: Iterable[Sent]) -> bytes:
    """The lines of a truth file."""
    return msgspec.json.Encoder().encode_lines(truth)


def decode(data: bytes) -> list[Sent]:
    """Read the lines of a truth file; raises `TruthError`."""
    try:
        return msgspec.json.Decoder(Sent).decode_lines(data)
    except msgspec.MsgspecError as error:
        raise TruthError(f"no truth file: {error}") from error
