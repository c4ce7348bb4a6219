"""Writes the recording of one process, block by block, beside the hot path."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from gevent import sleep, spawn
from gevent.monkey import get_original
from gevent.threadpool import ThreadPool

from streamgauge.core.observation import Observation
from streamgauge.core.recording import End, Header, block

_EVERY_S: Final = 0.1
_ROWS: Final = 512  # a block is packed in well under a millisecond, for which the loop's thread waits
_let_others_run = get_original("time", "sleep")


class Recorder:
    """Collects rows; a greenlet has a native thread pack and write them, in order.

    A write that fails (a full disk) is kept in `trouble` and stops the recording,
    never the run.
    """

    def __init__(self, path: Path, header: Header) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.trouble = ""
        self._file = path.open("wb")
        self._rows: list[Observation] = []
        self._closing = False
        self._thread = ThreadPool(1)
        self._write(header)
        self._writer = spawn(self._keep_writing)

    def add(self, row: Observation) -> None:
        """Take the next row; callable from a hub callback, since nothing here can block."""
        self._rows.append(row)

    def extend(self, rows: Iterable[Observation]) -> None:
        """Take the next rows."""
        self._rows.extend(rows)

    def _keep_writing(self) -> None:
        while not self._closing:
            sleep(_EVERY_S)
            self._flush()

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        if rows:  # in one go: where sockets keep the loop busy, a greenlet's turn comes seldom
            self._thread.apply(self._write_blocks, (rows,))

    def _write_blocks(self, rows: list[Observation]) -> None:
        for start in range(0, len(rows), _ROWS):
            self._write(rows[start : start + _ROWS])
            _let_others_run(0)

    def _write(self, content: Header | list[Observation] | End) -> None:
        if self.trouble:
            return
        try:
            self._file.write(block(content))
            self._file.flush()
        except OSError as error:
            self.trouble = f"the recording stopped: {error.strerror}"
        except Exception as error:  # noqa: BLE001 - a recording with a hole in it must not look whole
            self.trouble = f"the recording stopped: {type(error).__name__}"

    def close(self, end: End) -> None:
        """Write what is left and the end; call it when nothing is added any more."""
        self._closing = True
        self._writer.join()  # a flush that was cut off would lose or reorder rows
        self._flush()  # what came while it wrote its last
        self._thread.apply(self._write, (end,))
        self._thread.kill()
        with suppress(OSError):  # it tries once more to write what could not be written
            self._file.close()
