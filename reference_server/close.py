"""Why the server closes a connection."""

from msgspec import Struct


class Close(Struct, frozen=True):
    """A close code, and the reason as the client reads it (at most 123 bytes)."""

    code: int
    reason: str


DRAINING = Close(1001, "the server is going away")
BINARY = Close(1003, "messages are text, not binary")
NOT_JSON = Close(1007, "the message is no JSON")
RATE_LIMIT = Close(1008, "too many messages: slow down")
SERVER_FAILED = Close(1011, "the server failed")
TOKEN_EXPIRED = Close(4401, "the token has expired: connect with a new one")
NO_HEARTBEAT = Close(4408, "no answer to two heartbeats")
SLOW_CONSUMER = Close(4413, "events came faster than they were read")

GRACE_S = 1.0  # for a reader that does not take the close; then the connection is aborted
