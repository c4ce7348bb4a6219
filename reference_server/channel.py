"""One WebSocket: `websockets`' own connection, with the three taps that the server needs."""

from collections.abc import Callable, Iterable
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, State

from reference_server.auth import Identity
from reference_server.close import GRACE_S, Close


def _nothing() -> None:
    pass


class Channel(ServerConnection):
    """Writes several messages at once, closes without waiting, and tells of every frame that comes in.

    `on_frame` is called for each frame but continuations, `on_lost` once when the socket is gone.
    """

    identity: Identity

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.on_frame: Callable[[], None] = _nothing
        self.on_lost: Callable[[], None] = _nothing
        self.closing: Close | None = None
        self._aborting = False

    def write(self, messages: Iterable[bytes]) -> bool:
        """Write text messages to the socket as one piece, to be followed by `drain`; False once it closes."""
        if self.protocol.state is not State.OPEN:
            return False
        for message in messages:
            self.protocol.send_text(message)
        # One system call instead of one a message, and no task switch between them as `send` would make.
        self.transport.write(b"".join(self.protocol.data_to_send()))
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

    def process_event(self, event: Event) -> None:
        super().process_event(event)
        if isinstance(event, Frame) and event.opcode is not Opcode.CONT:
            self.on_frame()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.protocol.close_expected():  # what came in broke the protocol, or was a close
            self._abort_soon()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.on_lost()

    def _abort_soon(self) -> None:
        # `ServerConnection` itself waits without limit: for the write buffer before its own close, which a
        # stalled reader never empties, and for the peer after a protocol error.
        if not self._aborting:
            self._aborting = True
            self.loop.call_later(GRACE_S, self.transport.abort)
