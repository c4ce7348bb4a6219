"""How answers streamed: the gaps between their chunks, chunks per second, stalls.

A stream is a run that brought at least one chunk of its answer. Gaps are taken
from arrival to arrival within one run, whatever came between; a repeat is taken
once. Of several messages that were read at once only the last one's kernel stamp
is exact, so that the gaps before it may be too short and the next one too.
"""

from typing import Final

import numpy as np
from msgspec import Struct

from streamgauge.core.alike import Alike
from streamgauge.core.histogram import Distribution, Histogram

CHUNK_GAP: Final = "between answer chunks"  # the duration's name, beside those of `Metric`
_MILLI: Final = 1_000
_SECOND_NS: Final = 1_000_000_000


class StreamState(Struct, frozen=True):
    """What is known of the streams; a stall is a gap longer than `stall_ns`.

    `rates` holds chunks per second, one value a stream, in thousandths: 12,500 is
    12.5 chunks/s. Streams of one chunk have none, nor do those `at_once`, whose
    chunks all arrived in one moment.
    """

    stall_ns: int = _SECOND_NS
    streams: int = 0
    chunks: int = 0
    at_once: int = 0
    stalls: int = 0
    stalled: int = 0  # streams with at least one stall
    rates: Distribution = Distribution()

    def merge(self, other: "StreamState") -> "StreamState":
        """Both as one; what counts as a stall must be the same."""
        if self.stall_ns != other.stall_ns:
            raise ValueError(f"stalls of {self.stall_ns} ns and of {other.stall_ns} ns cannot be merged")
        return StreamState(
            self.stall_ns,
            self.streams + other.streams,
            self.chunks + other.chunks,
            self.at_once + other.at_once,
            self.stalls + other.stalls,
            self.stalled + other.stalled,
            self.rates.merge(other.rates),
        )


class Streams:
    """Collects the streams of settled runs.

    A pause that the script itself makes is no stall: the limit is so much longer,
    as that of `no-silence` is.
    """

    def __init__(self, stall_ns: int) -> None:
        self._stall_ns = stall_ns
        self._gaps = Histogram()
        self._rates = Histogram()
        self._streams = self._chunks = self._at_once = self._stalls = self._stalled = 0

    def settle(self, runs: Alike) -> None:
        """Take the streams of settled runs that are alike."""
        arrivals = runs.chunks_ns()
        chunks = arrivals.shape[1]
        if not chunks:
            return
        self._streams += runs.n
        self._chunks += runs.n * chunks
        if chunks == 1:
            return
        gaps = np.maximum(np.diff(arrivals), 0)
        self._gaps.extend(gaps)
        stalls = (gaps > (self._stall_ns + runs.pause_ns)[:, None]).sum(axis=1)
        self._stalls += int(stalls.sum())
        self._stalled += int((stalls > 0).sum())
        took = gaps.sum(axis=1)
        self._at_once += int((took == 0).sum())
        self._rates.extend((chunks - 1) * _MILLI * _SECOND_NS // took[took > 0])

    def gaps(self) -> Distribution:
        """The times between two chunks, in ns."""
        return self._gaps.distribution()

    @property
    def stalled(self) -> int:
        """How many streams have stalled so far."""
        return self._stalled

    def state(self) -> StreamState:
        """Everything else that was collected so far."""
        return StreamState(
            self._stall_ns,
            self._streams,
            self._chunks,
            self._at_once,
            self._stalls,
            self._stalled,
            self._rates.distribution(),
        )
