"""One WebSocket: `websockets`' own connection, with the three taps that the server needs."""

from collections.abc import Callable, Iterable
from typing import Any, Literal

from msgspec import Struct
from websockets.asyncio.server import ServerConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, State

from reference_server.auth import Identity
from reference_server.close import GRACE_S, Close

PRIVATE_CODES = 3_000  # from here on, a close code means what its sender likes


def _nothing() -> None:
    pass


def _nothing_unsent(_messages: int) -> None:
    pass


class Ending(Struct, frozen=True):
    """Whose close came first, and its code: 1006 where nobody said any."""

    by: Literal["server", "client", "nobody"]
    code: str


class Channel(ServerConnection):
    """Writes several messages at once, closes without waiting, and tells of every frame that comes in.

    `on_frame` is called for each frame but continuations, `on_lost` once when the socket is gone, and just
    before that `on_ended` with how many messages were written that the socket never took. Where the socket
    failed, that may count some of the last batch that it still took.
    """

    identity: Identity

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.on_frame: Callable[[], None] = _nothing
        self.on_lost: Callable[[], None] = _nothing
        self.on_ended: Callable[[int], None] = _nothing_unsent
        self.closing: Close | None = None
        self._aborting = False
        self._unsent: list[int] = []  # sizes of the messages written since the socket last took everything

    def write(self, messages: Iterable[bytes]) -> bool:
        """Write text messages to the socket as one piece, to be followed by `drain`; False once it closes."""
        if self.protocol.state is not State.OPEN or self.transport.is_closing():
            return False
        for message in messages:
            self.protocol.send_text(message)
        # One system call instead of one a message, and no task switch between them as `send` would make.
        frames = self.protocol.data_to_send()
        self.transport.write(b"".join(frames))
        # With a write limit of 0 the loop pauses us exactly when the socket has not taken all.
        if self.paused or self.transport.is_closing():
            self._unsent.extend(map(len, frames))
        return True

    def beat(self) -> None:
        """Send a WebSocket ping whose pong is only heard, not waited for."""
        if self.protocol.state is State.OPEN:
            self.protocol.send_ping(b"")
            self.send_data()

    def shut(self, close: Close) -> None:
        """Begin to close at once, whatever waits to be written; abort where that is not taken in time."""
        self.closing = close
        if self.protocol.state is not State.OPEN:  # the peer was first
            return
        self.protocol.send_close(close.code, close.reason)
        self.send_data()
        self._abort_soon()

    def ending(self) -> Ending | None:
        """How the connection ends; None while nothing says that it does.

        Codes that a client makes up are not told apart: each would be a time series of its own.
        """
        sent, received = self.protocol.close_sent, self.protocol.close_rcvd
        if sent is not None and not self.protocol.close_rcvd_then_sent:
            return Ending("server", str(int(sent.code)))
        if received is not None:
            return Ending("client", str(int(received.code)) if received.code < PRIVATE_CODES else "private")
        return Ending("nobody", "1006") if self.transport.is_closing() else None

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unsent.clear()

    def process_event(self, event: Event) -> None:
        super().process_event(event)
        if isinstance(event, Frame) and event.opcode is not Opcode.CONT:
            self.on_frame()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.protocol.close_expected():  # what came in broke the protocol, or was a close
            self._abort_soon()

    def connection_lost(self, exc: Exception | None) -> None:
        self.on_ended(self._count_unsent())
        super().connection_lost(exc)
        self.on_lost()

    def _count_unsent(self) -> int:
        left = self.transport.get_write_buffer_size()
        if not left:  # all was sent, or a failed socket has thrown the buffer away
            return len(self._unsent)
        messages = 0
        for size in reversed(self._unsent):
            if left <= 0:
                break
            left -= size
            messages += 1
        return messages

    def _abort_soon(self) -> None:
        # `ServerConnection` itself waits without limit: for the write buffer before its own close, which a
        # stalled reader never empties, and for the peer after a protocol error.
        if not self._aborting:
            self._aborting = True
            self.loop.call_later(GRACE_S, self.transport.abort)
