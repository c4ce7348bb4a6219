"""Keeps every message of one process as it was said, secrets redacted: `--record raw`.

One JSON object a line: `at_ns` of this machine's monotonic clock, `conn` as the recording
numbers it, `user`, `way` (`"in"` from the server, `"out"` to it), and `message` where it was
JSON, `text` where it was another text, `unreadable` with its `size` where it was none.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec
from gevent import sleep, spawn
from gevent.threadpool import ThreadPool

from streamgauge.report.redact import REDACTED, redacted, redacted_tree
from streamgauge.wire import Message

_EVERY_S: Final = 0.1
_LINES: Final = 64  # redacted and written in one go by the thread
_encode: Final = msgspec.json.Encoder().encode


class Said(NamedTuple):
    """One message, by whom and when."""

    at_ns: int
    conn: int
    user: str
    way: Literal["in", "out"]
    message: Message


def line(said: Said, secret: str, most: int) -> bytes:
    """One message as a line of JSON, of each string at most `most` characters, without secrets."""
    head: dict[str, object] = {"at_ns": said.at_ns, "conn": said.conn, "user": said.user, "way": said.way}
    if not isinstance(said.message, bytes):
        return _encode(head | {"unreadable": said.message.reason, "size": said.message.size}) + b"\n"
    text = said.message.decode(errors="replace")
    if secret:
        text = text.replace(secret, REDACTED)
    try:
        body = {"message": redacted_tree(msgspec.json.decode(text), most, by_name=True)}
        return _encode(head | body) + b"\n"
    except (msgspec.DecodeError, RecursionError):
        return _encode(head | {"text": redacted(text, most)}) + b"\n"


class RawRecorder:
    """Collects messages; a greenlet has a native thread redact and write them, in order.

    A write that fails is kept in `trouble` and stops this record, never the run.
    """

    def __init__(self, path: Path, secret: str, most: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.trouble = ""
        self._secret = secret
        self._most = most
        self._file = path.open("wb")
        self._said: list[Said] = []
        self._closing = False
        self._thread = ThreadPool(1)
        self._writer = spawn(self._keep_writing)

    def heard(self, at_ns: int, conn: int, user: str, messages: Sequence[Message]) -> None:
        """Take what one read brought; callable from a hub callback, since nothing here can block."""
        self._said.extend([Said(at_ns, conn, user, "in", message) for message in messages])

    def told(self, at_ns: int, conn: int, user: str, message: bytes) -> None:
        """Take what was sent."""
        self._said.append(Said(at_ns, conn, user, "out", message))

    def _keep_writing(self) -> None:
        while not self._closing:
            sleep(_EVERY_S)
            self._flush()

    def _flush(self) -> None:
        said, self._said = self._said, []
        for start in range(0, len(said), _LINES):
            self._thread.apply(self._write, (said[start : start + _LINES],))

    def _write(self, said: Sequence[Said]) -> None:
        if self.trouble:
            return
        try:
            self._file.write(b"".join(line(one, self._secret, self._most) for one in said))
            self._file.flush()
        except OSError as error:
            self.trouble = f"the record of raw messages stopped: {error.strerror}"
        except Exception as error:  # noqa: BLE001 - one with a hole in it must not look whole
            self.trouble = f"the record of raw messages stopped: {type(error).__name__}"

    def close(self) -> None:
        """Write what is left; call it when nothing is added any more."""
        self._closing = True
        self._writer.join()  # a flush that was cut off would lose or reorder messages
        self._flush()
        self._thread.kill()
        with suppress(OSError):  # it tries once more to write what could not be written
            self._file.close()
