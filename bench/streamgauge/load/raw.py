"""Keeps every message of one process as it was said, secrets redacted: `--record raw`.

One JSON object a line: `at_ns` of this machine's monotonic clock, `conn` as the recording
numbers it, `user`, `way` (`"in"` from the server, `"out"` to it), and `message` where it was
JSON, `text` where it was another text, `unreadable` with its `size` where it was none.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from streamgauge.load.background import BackgroundWriter
from streamgauge.report.redact import REDACTED, redacted, redacted_tree
from streamgauge.wire import Aside, Message, Unreadable

_LINES: Final = 64  # redacted and written in one go by the thread
_encode: Final = msgspec.json.Encoder().encode


class Said(NamedTuple):
    """One message, by whom and when."""

    at_ns: int
    conn: int
    user: str
    way: Literal["in", "out"]
    message: bytes | Unreadable


def line(said: Said, secret: str, most: int) -> bytes:
    """One message as a line of JSON, of each string at most `most` characters, without secrets.

    What is no text stands there by its size alone.
    """
    head: dict[str, object] = {"at_ns": said.at_ns, "conn": said.conn, "user": said.user, "way": said.way}
    if isinstance(said.message, Unreadable):
        return _encode(head | {"unreadable": said.message.reason, "size": said.message.size}) + b"\n"
    text = said.message.decode(errors="replace")
    if secret:
        text = text.replace(secret, REDACTED)
    try:
        body = {"message": redacted_tree(msgspec.json.decode(text), most, by_name=True)}
        return _encode(head | body) + b"\n"
    except (msgspec.DecodeError, RecursionError):
        return _encode(head | {"text": redacted(text, most)}) + b"\n"


class RawRecorder(BackgroundWriter[Said]):
    """The messages of one process."""

    def __init__(self, path: Path, secret: str, most: int) -> None:
        def packed(said: list[Said]) -> bytes:
            return b"".join(line(one, secret, most) for one in said)

        super().__init__(path, "the record of raw messages", packed, _LINES)

    def heard(self, at_ns: int, conn: int, user: str, messages: Sequence[Message]) -> None:
        """Take the messages that one read brought."""
        self.extend([Said(at_ns, conn, user, "in", each) for each in messages if not isinstance(each, Aside)])

    def told(self, at_ns: int, conn: int, user: str, message: bytes) -> None:
        """Take what was sent."""
        self.add(Said(at_ns, conn, user, "out", message))
