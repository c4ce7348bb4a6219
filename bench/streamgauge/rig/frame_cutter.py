"""Cuts what a server sends into its messages and the rest, and keeps every byte as it was.

What is said of frames is RFC 6455, section 5.2. A proxy judges nothing: what it cannot
read goes through as it came, and so does a message that is too large to be kept.
"""

from enum import Enum, auto
from typing import Final

from msgspec import Struct

_HEAD_END: Final = b"\r\n\r\n"
_MOST_HEAD: Final = 65_536
_SWITCHING: Final = (b"HTTP/1.1 101", b"HTTP/1.0 101")
_FIN, _RESERVED, _OPCODE = 0x80, 0x70, 0x0F
_MASKED, _SIZE = 0x80, 0x7F
_CONTINUATION, _TEXT, _CONTROL = 0, 1, 8


class Unit(Struct, frozen=True):
    """A whole message or bytes beside one, in the order of the stream: all `raw` together are the stream.

    `text` is what a text message says, None of anything else. Of a message in fragments `data`
    are its own frames, and `controls` those that stood between them.
    """

    raw: bytes
    text: bytes | None = None
    data: bytes = b""
    controls: bytes = b""


class _Mode(Enum):
    HEAD = auto()  # the HTTP answer
    FRAMES = auto()
    OPAQUE = auto()  # no WebSocket, or none that is understood


class FrameCutter:
    """One server's stream, from its handshake on; it keeps at most `most` bytes of a message."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._mode = _Mode.HEAD
        self._kept = bytearray()  # of a frame, or of the head
        self._skip = 0  # bytes of a frame that go through as they come
        self._streaming = False  # in a message that is too large
        self._forget()

    def _forget(self) -> None:
        self._opcode = _CONTINUATION  # of the message under way
        self._raw, self._data, self._controls = bytearray(), bytearray(), bytearray()
        self._text = bytearray()
        self._readable = True

    @property
    def is_between(self) -> bool:
        """Whether a whole message can be put behind all that was cut so far."""
        return self._mode is _Mode.FRAMES and not self._skip and not self._streaming

    def cut(self, data: bytes) -> list[Unit]:
        """The units that are complete with these bytes."""
        units: list[Unit] = []
        self._kept += data
        if self._mode is _Mode.HEAD:
            self._cut_head(units)
        while self._mode is _Mode.FRAMES and self._cut_frame(units):
            pass
        if self._mode is _Mode.OPAQUE:
            _add(units, self.rest())
        return units

    def rest(self) -> bytes:
        """Take what was cut short: the stream has ended."""
        rest = bytes(self._raw + self._kept)
        self._kept.clear()
        self._forget()
        return rest

    def _cut_head(self, units: list[Unit]) -> None:
        end = self._kept.find(_HEAD_END)
        if end < 0 and len(self._kept) <= _MOST_HEAD:
            return
        if end < 0 or not self._kept.startswith(_SWITCHING):
            self._mode = _Mode.OPAQUE
            return
        self._mode = _Mode.FRAMES
        _add(units, self._take(end + len(_HEAD_END)))

    def _take(self, size: int) -> bytes:
        taken = bytes(self._kept[:size])
        del self._kept[:size]
        return taken

    def _cut_frame(self, units: list[Unit]) -> bool:
        """Cut the next frame, or as much of a large one as there is; whether there may be more."""
        if self._skip:
            taken = self._take(self._skip)
            self._skip -= len(taken)
            _add(units, taken)
            return bool(self._kept)
        sizes = _sizes(self._kept)
        if sizes is None:
            return False
        header, size = sizes
        first, opcode = self._kept[0], self._kept[0] & _OPCODE
        starts = opcode not in (_CONTINUATION, *range(_CONTROL, 16))
        under_way = bool(self._raw) or self._streaming
        if self._kept[1] & _MASKED or (opcode < _CONTROL and starts == under_way):
            self._mode = _Mode.OPAQUE  # no server may say so: nothing after it can be trusted
            return False
        if header + size + len(self._raw) > self._most:
            self._stream_through(units, header + size)
            self._streaming = not first & _FIN if opcode < _CONTROL else under_way
            return True
        if len(self._kept) < header + size:
            return False
        frame = self._take(header + size)
        if self._streaming or (opcode >= _CONTROL and not self._raw):
            _add(units, frame)
            self._streaming = self._streaming and (opcode >= _CONTROL or not first & _FIN)
            return True
        self._add_frame(frame, header, units)
        return True

    def _stream_through(self, units: list[Unit], size: int) -> None:
        _add(units, bytes(self._raw))
        self._forget()
        self._skip = size

    def _add_frame(self, frame: bytes, header: int, units: list[Unit]) -> None:
        first, opcode = frame[0], frame[0] & _OPCODE
        self._raw += frame
        if opcode >= _CONTROL:
            self._controls += frame
            return
        self._data += frame
        self._text += frame[header:]
        self._opcode = opcode or self._opcode
        self._readable = self._readable and not first & _RESERVED  # compressed, for one
        if first & _FIN:
            text = bytes(self._text) if self._opcode == _TEXT and self._readable else None
            units.append(Unit(bytes(self._raw), text, bytes(self._data), bytes(self._controls)))
            self._forget()


def _add(units: list[Unit], raw: bytes) -> None:
    if raw:
        units.append(Unit(raw))


def _sizes(kept: bytearray) -> tuple[int, int] | None:
    """How long the first frame's header is, and its payload; None while that cannot be told."""
    if len(kept) < 2:
        return None
    size, header = kept[1] & _SIZE, 2
    if size > 125:
        header = 4 if size == 126 else 10
        if len(kept) < header:
            return None
        size = int.from_bytes(kept[2:header])
    return header, size
