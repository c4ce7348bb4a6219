"""The form of a recording: a header, blocks of rows, an end; bytes in, bytes out.

Every block is a length (4 bytes, big endian) and that many bytes of zlib over
msgpack. A recording that lacks its end was cut off, and its verdict is unknown.
Texts never come into it: rows hold digests and canary results.
"""

import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Final, Self

import msgspec
from msgspec import Struct

from streamgauge.core.contract import Limits, Rule
from streamgauge.core.doubt_limits import DoubtLimits
from streamgauge.core.observation import Observation
from streamgauge.core.threshold import Threshold
from streamgauge.core.vitals import Vitals

SCHEMA: Final = 1  # 1: first form
_LENGTH: Final = 4
_ROWS: Final = 512  # of a block
_LEVEL: Final = 1  # ids repeat: more effort saves little and costs the generator


class RecordingError(ValueError):
    """The bytes are no recording of a schema that is known here, or they are damaged."""


class Header(Struct, frozen=True):
    """What one needs besides the rows to judge them again."""

    worker: str
    protocol: str
    clock: str  # the recording machine's monotonic clock: the boot id on Linux
    began_ns: int
    limits: Limits
    required: tuple[str, ...]  # rules
    plan: str  # digest: recordings of one run share it
    thresholds: tuple[Threshold, ...] = ()
    schema: int = SCHEMA
    promises: tuple[str, ...] = tuple(Rule)  # the rules that are judged
    epoch_ns: int = 0  # the time of day, in ns since 1970, at which `clock` showed zero; 0: not known
    doubts: DoubtLimits = DoubtLimits()
    most_runs: int = 0  # that may be asked for; 0: no cap
    load_ns: tuple[int, int] | None = None  # from when until when the load is the same, after the beginning


class End(Struct, frozen=True):
    """The last block: when the recording ended, and what the worker knew besides its rows."""

    at_ns: int
    trouble: tuple[str, ...] = ()
    unconnected: dict[str, int] = {}  # why users could not connect -> how many
    clock_steps: int = 0
    vitals: Vitals | None = None
    aborted: str = ""  # why the run stopped by itself
    cut_short: bool = False  # whether it was stopped before its time
    cpu_s: float | None = None  # of the process; None: an older recording, that does not say


class Recording(Struct, frozen=True):
    """A whole recording; `end` is None where it was cut off."""

    header: Header
    rows: list[Observation]
    end: End | None

    @classmethod
    def of(cls, data: bytes) -> Self:
        """Read a recording from its bytes."""
        blocks = _blocks(data)
        try:
            header = msgspec.msgpack.decode(next(blocks), type=Header)
        except (StopIteration, zlib.error, msgspec.MsgspecError) as error:
            raise RecordingError("no recording: its header cannot be read") from error
        if header.schema != SCHEMA:
            raise RecordingError(f"a recording of schema {header.schema}; this version reads {SCHEMA}")
        rows: list[Observation] = []
        decode = msgspec.msgpack.Decoder(list[Observation] | End).decode
        try:
            for block in blocks:
                content = decode(block)
                if isinstance(content, End):
                    return cls(header, rows, content)
                rows.extend(content)
        except (zlib.error, msgspec.MsgspecError) as error:
            raise RecordingError("a damaged recording: one of its blocks cannot be read") from error
        return cls(header, rows, None)

    def data(self) -> bytes:
        """The bytes of it, of which `of` makes the same again."""
        starts = range(0, len(self.rows), _ROWS)
        rows = b"".join(block(self.rows[at : at + _ROWS]) for at in starts)
        return block(self.header) + rows + (block(self.end) if self.end else b"")


def rows_of(data: bytes) -> Iterator[Observation]:
    """The rows of a recording one by one, as far as it can be read."""
    decode = msgspec.msgpack.Decoder(list[Observation] | End).decode
    try:
        for block in islice(_blocks(data), 1, None):
            content = decode(block)
            if isinstance(content, End):
                return
            yield from content
    except (zlib.error, msgspec.MsgspecError):
        return


_encode = msgspec.msgpack.Encoder().encode


def block(content: Header | list[Observation] | End) -> bytes:
    """One block of a recording."""
    packed = zlib.compress(_encode(content), _LEVEL)
    return len(packed).to_bytes(_LENGTH, "big") + packed


def _blocks(data: bytes) -> Iterator[bytes]:
    """Unpack block after block; a block that was cut off ends it."""
    at = 0
    while at + _LENGTH <= len(data):
        length = int.from_bytes(data[at : at + _LENGTH], "big")
        at += _LENGTH
        if at + length > len(data):
            return
        yield zlib.decompress(data[at : at + length])
        at += length
