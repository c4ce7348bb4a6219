"""The fault `slow-starves-all`: one socket is written to after another, and a stalled reader holds up all."""

import asyncio

from msgspec.structs import replace

from reference_server.faults.lottery import Lottery
from reference_server.parts import Parts


def slow_starves_all(parts: Parts, lottery: Lottery) -> Parts:
    """Have all writers share one turn, and each keep it until its socket has taken what was written.

    A strike is a write that found another's socket in its way, and every write is an opportunity.
    """
    return replace(parts, turn=_Queue(lottery).turn)


class _Queue:
    """One loop over all sockets, as `for socket in sockets: await socket.send(…)` has it."""

    def __init__(self, lottery: Lottery) -> None:
        self._lottery = lottery
        self._socket_is_written_to: asyncio.Lock | None = None

    def turn(self) -> asyncio.Lock:
        if self._socket_is_written_to is None:  # only now is there a loop
            self._socket_is_written_to = asyncio.Lock()
        if self._lottery.chosen() and self._socket_is_written_to.locked():
            self._lottery.strike()
        return self._socket_is_written_to
