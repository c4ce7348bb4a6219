"""AG-UI 1.0 over a WebSocket: one event a message, as JSON (docs/protocols.md)."""

from typing import Final

import msgspec

from streamgauge.core.contract import Rule
from streamgauge.core.event import Event
from streamgauge.protocol.ag_ui_reader import AgUiReader, place_of
from streamgauge.protocol.dialect import Echo, Place, Request

_encode: Final = msgspec.json.Encoder().encode
_VERSION: Final = "1.0"


class AgUi:
    """How to speak to and read a server of AG-UI."""

    name = "ag-ui"
    # Not promised: its events bear no numbers (`seq-contiguous`, `offset-contiguous`), no
    # index and no digest of the answer (`partial-integrity`: of the recorded servers none
    # sends the MESSAGES_SNAPSHOT that could stand in for one), no user
    # (`isolation-envelope`), and there is no pipeline whose thoughts are due
    # (`thinking-present`).
    promises = frozenset(
        {
            Rule.STARTED_FIRST,
            Rule.TERMINAL_LAST,
            Rule.TOOL_PAIRING,
            Rule.COMPLETE,
            Rule.NO_SILENCE,
            Rule.ECHO,
            Rule.PROTOCOL,
            Rule.ISOLATION_CANARY,
            Rule.ISOLATION_ACTIVE,
        }
    )
    greets = False
    accepts = False
    scripts = False  # what `forwardedProps` are for is the server's affair
    digests = False

    def reader(self) -> AgUiReader:
        """A reader for a new connection."""
        return AgUiReader()

    def start(self, request: Request) -> bytes:
        """A `RunAgentInput`; which agent answers is the address's affair."""
        return _encode(
            {
                "threadId": request.thread,
                "runId": request.request,
                "protocolVersion": _VERSION,
                "state": {},
                "messages": [{"id": f"{request.request}-1", "role": "user", "content": request.text}],
                "tools": [],
                "context": [{"description": key, "value": value} for key, value in request.context.items()],
                "forwardedProps": dict(request.options),
            }
        )

    def echo(self, request: Request) -> Echo:
        """The ids alone: the run's is the request's."""
        return Echo(request.thread)

    def place(self, message: bytes, event: Event) -> Place:
        """In its text or call: none is counted, but nothing of it goes on before it has begun."""
        part, begins = place_of(message)
        return Place(f"{event.run} {part}" if part else "", begins)

    def cancel(self, run: str) -> None:  # noqa: ARG002 - AG-UI has no message for it
        """There is none: over HTTP one hangs up."""
        return

    def say(self, run: str, text: str) -> None:  # noqa: ARG002 - AG-UI has no message for it
        """There is none: the next run's messages hold it."""
        return

    def ping(self, client_ns: int) -> None:  # noqa: ARG002 - AG-UI has no message for it
        """There is none, and its events bear no stamps either."""
        return


AG_UI: Final = AgUi()
