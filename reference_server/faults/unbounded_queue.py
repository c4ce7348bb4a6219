"""The fault `unbounded-queue`: what a stalled reader does not take is kept for it, however much it is."""

import sys

from msgspec.structs import replace

from reference_server.faults.lottery import Lottery
from reference_server.losses import Losses
from reference_server.outbox import Outbox
from reference_server.parts import Parts


def unbounded_queue(parts: Parts, lottery: Lottery) -> Parts:
    """Queue without bound.

    A strike is an outbox that passed the bound for messages or bytes, once each, and each is an opportunity.
    """

    def make_outbox(max_messages: int, max_bytes: int, losses: Losses) -> Outbox:
        lottery.chosen()
        return _Unbounded(max_messages, max_bytes, losses, lottery)

    return replace(parts, make_outbox=make_outbox)


class _Unbounded(Outbox):
    """An outbox that never overflows, and knows when it should have."""

    def __init__(self, max_messages: int, max_bytes: int, losses: Losses, lottery: Lottery) -> None:
        super().__init__(sys.maxsize, sys.maxsize, losses)
        self._bound = (max_messages, max_bytes)
        self._lottery = lottery
        self._struck = False

    def put(self, message: bytes) -> bool:
        taken = super().put(message)
        if not self._struck and (len(self._messages) > self._bound[0] or self._bytes > self._bound[1]):
            self._struck = True
            self._lottery.strike()
        return taken
