"""Writes the recording of one process, block by block, beside the hot path."""

from pathlib import Path
from typing import Final

from gevent.threadpool import ThreadPool

from streamgauge.core.observation import Observation
from streamgauge.core.recording import End, Header, block

_ROWS: Final = 512  # a block is packed in well under a millisecond


class Recorder:
    """Collects rows; a native thread packs and writes them, in order.

    A write that fails (a full disk) is kept in `trouble` and stops the recording,
    never the run.
    """

    def __init__(self, path: Path, header: Header) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.trouble = ""
        self._file = path.open("wb")
        self._rows: list[Observation] = []
        self._thread = ThreadPool(1)  # one: blocks keep their order
        self._thread.spawn(self._write, header)

    def add(self, row: Observation) -> None:
        """Take the next row."""
        self._rows.append(row)
        if len(self._rows) >= _ROWS:
            self._flush()

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        self._thread.spawn(self._write, rows)

    def _write(self, content: Header | list[Observation] | End) -> None:
        if self.trouble:
            return
        try:
            self._file.write(block(content))
        except OSError as error:
            self.trouble = f"the recording stopped: {error}"

    def close(self, at_ns: int, trouble: tuple[str, ...]) -> None:
        """Write what is left and the end."""
        self._flush()
        self._thread.spawn(self._write, End(at_ns, trouble))
        self._thread.join()
        self._thread.kill()
        self._file.close()
