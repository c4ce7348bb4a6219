"""A bounded queue of encoded messages between a session's runs and the one writer of its connection."""

import asyncio
from collections import deque
from collections.abc import Callable

from reference_server.losses import Losses


def _nothing() -> None:
    pass


class Outbox:
    """Takes messages at once or not at all, so that no agent ever waits for a socket.

    Once it has overflowed it stays so: a message left out would be a hole in the stream. `on_overflow` is
    called at that moment. What `put` does not take, and what an overflow drops, is counted in `losses`.
    """

    def __init__(self, max_messages: int, max_bytes: int, losses: Losses) -> None:
        self.on_overflow: Callable[[], None] = _nothing
        self.closed = False
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._losses = losses
        self._bytes = 0
        self._messages: deque[bytes] = deque()
        self._waiting: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: bytes) -> bool:
        """Queue a message; False where it was not taken."""
        if self.closed:
            self._losses.add("no_reader")
            return False
        if len(self._messages) >= self._max_messages or self._bytes + len(message) > self._max_bytes:
            self._losses.add("overflow", self.close() + 1)
            self.on_overflow()
            return False
        self._messages.append(message)
        self._bytes += len(message)
        self._wake()
        return True

    def close(self) -> int:
        """Take nothing more, drop what is queued and return how many messages that were."""
        self.closed = True
        dropped = len(self._messages)
        self._messages.clear()
        self._bytes = 0
        return dropped

    def take(self, max_bytes: int) -> list[bytes]:
        """Take messages from the front: at least one where there is one, then up to `max_bytes`."""
        taken: list[bytes] = []
        size = 0
        while self._messages and (not taken or size + len(self._messages[0]) <= max_bytes):
            size += len(self._messages[0])
            taken.append(self._messages.popleft())
        self._bytes -= size
        return taken

    async def ready(self) -> None:
        """Wait until a message is queued; for one waiter only."""
        if not self._messages:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting

    def _wake(self) -> None:
        if self._waiting is not None:
            if not self._waiting.done():
                self._waiting.set_result(None)
            self._waiting = None
