"""A session: where a user's events are numbered and queued, whether or not a connection is there."""

from collections import OrderedDict

from reference_server.losses import Losses
from reference_server.message import Event, MessagePayload, RunAccepted, encode_event, encode_message
from reference_server.outbox import Outbox
from reference_server.run import Run

REMEMBERED_REQUESTS = 512


class Session:
    """One user's stream. Offsets count the events from 1, also those that no connection will show."""

    def __init__(self, session_id: str, user_id: str, outbox: Outbox, losses: Losses) -> None:
        self.id = session_id
        self.user_id = user_id
        self.outbox = outbox
        self.losses = losses
        self.attached = True
        self.runs: set[Run] = set()
        self._offset = 0
        self._accepted: OrderedDict[str, RunAccepted] = OrderedDict()

    def take_offset(self) -> int:
        """Use up the next offset."""
        self._offset += 1
        return self._offset

    def send(self, event: Event, offset: int | None = None) -> None:
        """Queue an event, under the next offset unless one was taken before; returns at once.

        What the outbox does not take, here and in `post`, it counts itself.

        Raises where the event cannot be encoded; the next offset is then not used up.
        """
        data = encode_event(event, self._offset + 1 if offset is None else offset)
        if offset is None:
            self.take_offset()
        self.outbox.put(data)

    def post(self, message: MessagePayload) -> None:
        """Queue a message that is no event."""
        self.outbox.put(encode_message(message))

    def accepted(self, request_id: str) -> RunAccepted | None:
        """What the same `request_id` was answered before; the last hundreds are remembered."""
        return self._accepted.get(request_id)

    def accept(self, accepted: RunAccepted) -> None:
        """Remember the answer to a request."""
        self._accepted[accepted.request_id] = accepted
        if len(self._accepted) > REMEMBERED_REQUESTS:
            self._accepted.popitem(last=False)
