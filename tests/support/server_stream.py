"""What a WebSocket server sends, as bytes."""

from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


def frame(payload: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin).serialize(mask=False)


def compressed(payload: bytes) -> bytes:
    """A frame that says so: what is in it is the extension's affair."""
    plain = frame(payload)
    return bytes([plain[0] | 0x40]) + plain[1:]


def chunked(stream: bytes, sizes: list[int]) -> list[bytes]:
    """The stream in pieces of these sizes, and the rest."""
    pieces, at = [], 0
    for size in sizes:
        pieces.append(stream[at : at + size])
        at += size
    return [*pieces, stream[at:]]


SIZES = st.lists(st.integers(0, 200), max_size=40)
