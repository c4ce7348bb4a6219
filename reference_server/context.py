"""Who a run belongs to, and what was asked: frozen, so that a run cannot become another user's."""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Raw, Struct

from reference_server.script import Step

NO_CONTEXT = Raw(b"{}")

Emission = Literal["on", "off", "encode"]


class UserExecutionContext(Struct, frozen=True):
    """The five ids that every event of one run is routed by; no field can change while the run lives."""

    user_id: str
    thread_id: str
    run_id: str
    request_id: str
    connection_id: str


class AgentRequest(Struct, frozen=True, kw_only=True):
    """What the user asked.

    `echo` is the client's `context{}` byte for byte, given back as it came. `shown` is the same with secrets
    redacted and `shown_text` its JSON: agents, tools and thoughts only ever see these two.
    """

    agent_name: str
    text: str
    echo: Raw = NO_CONTEXT
    shown: Mapping[str, Any] = {}
    shown_text: str = "{}"
    emission: Emission = "on"
    script: tuple[Step, ...] | None = None
    seed: int | None = None

    def about(self, label: str) -> str:
        """One sentence that carries the request and its context, so that a leak of it can be recognised."""
        return f"{label}: {self.text} {self.shown_text}"
