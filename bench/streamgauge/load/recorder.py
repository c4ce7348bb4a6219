"""Writes the recording of one process, block by block, beside the hot path."""

from pathlib import Path
from typing import Final

from streamgauge.core.observation import Observation
from streamgauge.core.recording import End, Header, block
from streamgauge.load.background import BackgroundWriter

_ROWS: Final = 512  # of a block


class Recorder(BackgroundWriter[Observation]):
    """The rows of one process, between a header and an end."""

    def __init__(self, path: Path, header: Header) -> None:
        super().__init__(path, "the recording", _packed, _ROWS, first=lambda: block(header))

    def end(self, end: End) -> None:
        """Write what is left and the end; call it when nothing is added any more."""
        self.close(lambda: block(end))


def _packed(rows: list[Observation]) -> bytes:
    return block(rows)
