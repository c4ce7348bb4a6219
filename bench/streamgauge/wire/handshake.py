"""The opening handshake of a client, by websockets' own protocol (RFC 6455 section 4.1)."""

import logging
from collections.abc import Mapping, Sequence

from msgspec import Struct
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHeader, InvalidStatus, InvalidURI
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

QUIET = logging.getLogger("streamgauge.wire")
"""Logger for websockets' protocols, which at DEBUG would write tokens and payloads."""
QUIET.setLevel(logging.INFO)

SHORT_TEXT = 200
"""Characters kept of what a server says about a handshake that failed."""


class MisuseError(Exception):
    """The caller asked for what RFC 6455 or the state of the session does not allow; nothing was changed."""


class Refusal(Struct, frozen=True):
    """A server's HTTP answer other than 101.

    `retry_after` is in seconds, None where the header is missing or holds a date, which only the reader
    of a clock could use; `body` is the first 200 characters.
    """

    status: int
    reason: str
    retry_after: int | None
    body: str


class Handshake:
    """One opening handshake: `request` is sent first, then the answer is received.

    Once `finished`, it was accepted unless there is a `refusal` or a `fault` (no valid WebSocket or HTTP
    answer).  A stream that ends first finishes it with neither.
    """

    __slots__ = ("_protocol", "accepted", "fault", "finished", "refusal", "request", "subprotocol")

    def __init__(self, uri: str, headers: Mapping[str, str], subprotocols: Sequence[str]) -> None:
        try:
            address = parse_uri(uri)
        except InvalidURI as error:
            # websockets' text repeats the address, which may carry a token
            raise MisuseError(f"not a usable WebSocket address: {error.msg}") from None
        offered = [Subprotocol(name) for name in subprotocols] or None
        self._protocol = ClientProtocol(address, subprotocols=offered, logger=QUIET)
        request = self._protocol.connect()
        try:
            request.headers.update(headers)
        except InvalidHeader as error:
            raise MisuseError(f"not a usable value for the header {error.name}") from None
        self._protocol.send_request(request)
        self.request = b"".join(self._protocol.data_to_send())
        self.finished = False
        self.accepted = False
        self.refusal: Refusal | None = None
        self.fault: str | None = None
        self.subprotocol: str | None = None

    def receive(self, data: bytes) -> int:
        """Read the answer and return how many bytes belonged to it; the rest is the stream's."""
        position = 0
        # The answer ends with a line, so feeding line by line never lets the protocol see the stream.
        while position < len(data) and not self.finished:
            end = data.find(b"\n", position) + 1 or len(data)
            self._protocol.receive_data(data[position:end])
            position = end
            self._conclude(eof=False)
        return position

    def receive_eof(self) -> None:
        """End the stream: an answer whose body has no length is complete only now."""
        self._protocol.receive_eof()
        self._conclude(eof=True)

    def _conclude(self, *, eof: bool) -> None:
        failure = self._protocol.handshake_exc
        self.accepted = self._protocol.state is State.OPEN
        self.finished = self.accepted or failure is not None
        if self.finished:
            # The two hold each other: a closed parser lets both go without waiting for the garbage collector.
            self._protocol.parser.close()
        self.subprotocol = self._protocol.subprotocol
        if isinstance(failure, InvalidStatus):
            self.refusal = _refusal(failure.response)
        elif failure is not None and not eof:  # a cut stream is nobody's protocol error
            self.fault = _explain(failure)


def _refusal(response: Response) -> Refusal:
    body = response.body.decode(errors="replace")[:SHORT_TEXT]
    return Refusal(response.status_code, response.reason_phrase, _retry_after(response), body)


def _retry_after(response: Response) -> int | None:
    values = response.headers.get_all("Retry-After")
    if len(values) == 1 and values[0].isdecimal() and len(values[0]) < 10:  # thirty years will do
        return int(values[0])
    return None


def _explain(failure: Exception) -> str:
    # websockets says "did not receive a valid HTTP response" and chains what was wrong with it
    causes = [failure] if failure.__cause__ is None else [failure, failure.__cause__]
    return ": ".join(map(str, causes))[:SHORT_TEXT]
