"""The frames a server sends all day, read without a protocol object.

Nearly every frame of an event stream is a whole, unmasked text frame (RFC 6455 section 5.2):

     0               1               2               3
    +-+-----+-------+-+-------------+-------------------------------+
    |1|0 0 0| 1 TEXT|0| 0..125      | payload ...                   |
    |1|0 0 0| 1 TEXT|0| 126         | 126..65535 in 16 bits         | payload ...
    |1|0 0 0| 1 TEXT|0| 127         | 65536.. in 64 bits ...        | payload ...
    +-+-----+-------+-+-------------+-------------------------------+
     FIN     opcode  no mask

Those are read here (and by `_frames.c` where there was a compiler).  Whatever else a server may send stops
the reader and is left to websockets' own protocol, which knows every rule.
"""

from struct import Struct
from typing import Final

from websockets.frames import apply_mask  # type: ignore[attr-defined] # compiled, if they can

from streamgauge.wire.message import Message

WHOLE_TEXT: Final = 0x81
"""First byte of a frame with FIN, no reserved bit and the opcode TEXT."""

_MASKED: Final = 0x80
_TEXT_126: Final = WHOLE_TEXT << 8 | 126  # with the length in the 16 bits after it
_HEAD: Final = Struct(">HH").unpack_from  # both in one call


def read_texts(data: bytes, start: int, max_size: int, messages: list[Message]) -> int:
    """Append the payloads of the whole text frames from `start` on, and return where they end.

    What follows there, if anything, is cut short or not for this reader: another kind of frame, a mask,
    a length not written the shortest way, more than `max_size` bytes, a payload that is not UTF-8.
    """
    end = len(data)
    append = messages.append
    while start + 4 <= end:
        head, size = _HEAD(data, start)
        if head == _TEXT_126:
            if size < 126:
                break
            body = start + 4
        else:
            body, size = _other_size(data, start, head)
        stop = body + size
        if stop > end or size > max_size:
            break
        payload = data[body:stop]
        if not payload.isascii() and not is_utf8(payload):
            break
        append(payload)
        start = stop
    else:
        if start + 2 <= end and data[start] == WHOLE_TEXT:  # too short for the one call above
            stop = start + 2 + data[start + 1]
            payload = data[start + 2 : stop]
            if stop <= end and payload.isascii() and len(payload) <= max_size:
                append(payload)
                return stop
    return start


def _other_size(data: bytes, start: int, head: int) -> tuple[int, int]:
    """Where the payload of a text of another length begins, and its size: beyond all where it is none."""
    size = head & 0xFF
    if head >> 8 == WHOLE_TEXT:
        if size < 126:
            return start + 2, size
        if size == 127 and start + 10 <= len(data):
            size = int.from_bytes(data[start + 2 : start + 10])
            if size >= 65536:
                return start + 10, size
    return start, len(data) + 1


def masked_text(payload: bytes, mask: bytes) -> bytes:
    """Return a whole text frame as a client sends it, masked with 4 bytes."""
    size = len(payload)
    if size < 126:
        head = bytes((WHOLE_TEXT, _MASKED | size))
    elif size < 65536:
        head = bytes((WHOLE_TEXT, _MASKED | 126, size >> 8, size & 0xFF))
    else:
        head = bytes((WHOLE_TEXT, _MASKED | 127)) + size.to_bytes(8)
    return head + mask + apply_mask(payload, mask)


def is_utf8(payload: bytes) -> bool:
    """Whether a payload is what a text message must be (section 8.1)."""
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def frame_need(data: bytes, start: int, max_size: int) -> int:
    """Bytes from `start` with which the frame there can be judged: all of it, or what there is to its header.

    The header is enough where it announces more than `max_size` bytes, and all that can be told while it
    is cut short.  A mask is not counted, since a client fails before it would read one (section 5.1).
    """
    available = len(data) - start
    if available < 2:
        return 2
    size = data[start + 1] & 0x7F
    header = 2
    if size > 125:
        header = 4 if size == 126 else 10
        if available < header:
            return header
        size = int.from_bytes(data[start + 2 : start + header])
    return header if size > max_size else header + size
