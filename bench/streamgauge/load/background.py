"""Writes what is collected, pack by pack, beside the hot path."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, Generic, TypeVar

from gevent import sleep, spawn
from gevent.monkey import get_original
from gevent.threadpool import ThreadPool

_EVERY_S: Final = 0.1
_let_others_run = get_original("time", "sleep")
T = TypeVar("T")


class BackgroundWriter(Generic[T]):
    """Collects; a greenlet has a native thread pack and write, in order.

    `pack` makes the bytes of up to `most` at once: well under a millisecond's work, for which the
    loop's thread waits. What fails (a full disk) ends the writing, never the run: `trouble` says
    that `what` is written stopped, and why.
    """

    def __init__(
        self,
        path: Path,
        what: str,
        pack: Callable[[list[T]], bytes],
        most: int,
        first: Callable[[], bytes] = bytes,
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.trouble = ""
        self._what = what
        self._pack = pack
        self._most = most
        self._file = path.open("wb")
        self._collected: list[T] = []
        self._closing = False
        self._thread = ThreadPool(1)
        self._write(first)
        self._writer = spawn(self._keep_writing)

    def add(self, one: T) -> None:
        """Take the next; callable from a hub callback, since nothing here can block."""
        self._collected.append(one)

    def extend(self, more: Iterable[T]) -> None:
        """Take the next ones."""
        self._collected.extend(more)

    def _keep_writing(self) -> None:
        while not self._closing:
            sleep(_EVERY_S)
            self._flush()

    def _flush(self) -> None:
        collected, self._collected = self._collected, []
        if collected:  # in one go: where sockets keep the loop busy, a greenlet's turn comes seldom
            self._thread.apply(self._write_all, (collected,))

    def _write_all(self, collected: list[T]) -> None:
        for start in range(0, len(collected), self._most):
            self._write(partial(self._pack, collected[start : start + self._most]))
            _let_others_run(0)

    def _write(self, packed: Callable[[], bytes]) -> None:
        if self.trouble:
            return
        try:
            self._file.write(packed())
            self._file.flush()
        except OSError as error:
            self.trouble = f"{self._what} stopped: {error.strerror}"
        except Exception as error:  # noqa: BLE001 - what has a hole in it must not look whole
            self.trouble = f"{self._what} stopped: {type(error).__name__}"

    def close(self, last: Callable[[], bytes] = bytes) -> None:
        """Write what is left, and the `last` bytes; call it when nothing is added any more."""
        self._closing = True
        self._writer.join()  # a flush that was cut off would lose or reorder
        self._flush()  # what came while it wrote its last
        self._thread.apply(self._write, (last,))
        self._thread.kill()
        with suppress(OSError):  # it tries once more to write what could not be written
            self._file.close()
