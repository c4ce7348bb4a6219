"""The fault `pooled-mixup`: a cancelled caller's reply goes to the next caller of a shared connection."""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reference_server.agent import current_task
from reference_server.faults.lottery import Lottery
from reference_server.parts import Parts


class Reply(Struct, frozen=True):
    """What the backend answers a call, and whose call it was."""

    user_id: str
    data: Mapping[str, Any]


class SharedConnection:
    """A connection to a slow backend, which answers in the order in which it was asked.

    A reply has no number: the caller who waits longest takes it. As long as everybody waits for the own one
    that is right; who stops waiting and leaves the reply to come has moved all those behind by one, as with
    the connections of redis-py 4.5.1. While nobody waits, what comes is thrown away, and all is well again.
    """

    def __init__(self, lottery: Lottery) -> None:
        self._lottery = lottery
        self._due: deque[Reply] = deque()
        self._callers: deque[asyncio.Future[Reply]] = deque()
        self._left = 0  # replies that cancelled callers left, and that went to nobody else yet

    async def ask(self, user_id: str, data: Mapping[str, Any], after_s: float) -> Mapping[str, Any]:
        """Send a call, whose backend takes `after_s` for it, and take the next reply."""
        loop = asyncio.get_running_loop()
        self._due.append(Reply(user_id, data))
        loop.call_later(after_s, self._answer)
        caller: asyncio.Future[Reply] = loop.create_future()
        self._callers.append(caller)
        try:
            reply = await caller
        except asyncio.CancelledError:
            # Right is to stay in line and take one's reply along; the defect is to leave, and it there.
            if caller in self._callers and self._lottery.chosen():
                self._callers.remove(caller)
                self._left += 1
            raise
        if reply.user_id != user_id and self._left:
            self._left -= 1
            self._lottery.strike()
        return reply.data

    def _answer(self) -> None:
        reply = self._due.popleft()
        if not self._callers:
            self._left = 0
            return
        caller = self._callers.popleft()
        if not caller.done():
            caller.set_result(reply)


def pooled_mixup(parts: Parts, lottery: Lottery) -> Parts:
    """Have all tools ask one shared backend; the chosen ones of the cancelled calls leave their reply.

    It is a strike when somebody else's reply reaches a user after that: once for each that was left, however
    many it has moved.
    """
    connection = SharedConnection(lottery)

    async def faulty(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        user_id = current_task.get().context.user_id
        answered = await connection.ask(user_id, parameters, parameters["ms"] / 1e3)
        return await parts.tool({**answered, "ms": 0})

    return replace(parts, tool=faulty)
