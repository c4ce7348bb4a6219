"""The frames a server sends all day, read without a protocol object.

Nearly every frame of an event stream is a whole, unmasked text frame (RFC 6455 section 5.2):

     0               1               2               3
    +-+-----+-------+-+-------------+-------------------------------+
    |1|0 0 0| 1 TEXT|0| 0..125      | payload ...                   |
    |1|0 0 0| 1 TEXT|0| 126         | 126..65535 in 16 bits         | payload ...
    |1|0 0 0| 1 TEXT|0| 127         | 65536.. in 64 bits ...        | payload ...
    +-+-----+-------+-+-------------+-------------------------------+
     FIN     opcode  no mask

Those are read here.  Whatever else a server may send stops the reader and is left to websockets' own
protocol, which knows every rule.
"""

from streamgauge.wire.message import Message

WHOLE_TEXT = 0x81
"""First byte of a frame with FIN, no reserved bit and the opcode TEXT."""


def read_texts(data: bytes, start: int, max_size: int, messages: list[Message]) -> int:
    """Append the payloads of the whole text frames from `start` on, and return where they end.

    What follows there, if anything, is cut short or not for this reader: another kind of frame, a mask,
    a length not written the shortest way, more than `max_size` bytes, a payload that is not UTF-8.
    """
    end = len(data)
    append = messages.append
    while start + 2 <= end and data[start] == WHOLE_TEXT:
        size = data[start + 1]
        if size == 126:
            body = start + 4
            if body > end:
                break
            size = data[start + 2] << 8 | data[start + 3]  # half the time of int.from_bytes
            if size < 126:
                break
        elif size < 126:
            body = start + 2
        else:
            body = start + 10
            size = int.from_bytes(data[start + 2 : body])
            if data[start + 1] != 127 or body > end or size < 65536:  # the mask bit, or a header cut short
                break
        stop = body + size
        if stop > end or size > max_size:
            break
        payload = data[body:stop]
        if not payload.isascii() and not is_utf8(payload):
            break
        append(payload)
        start = stop
    return start


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
