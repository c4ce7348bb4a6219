"""What an agent is: anything with a `run` that turns one task into a result."""

import random
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Protocol

from msgspec import Struct

from reference_server.context import AgentRequest, UserExecutionContext
from reference_server.tools import CallTool


class EmitThinking(Protocol):
    """Say what the agent thinks; returns at once and never fails."""

    def __call__(self, reasoning: str, step_number: int | None = None) -> None: ...


class AgentTask(Struct, frozen=True):
    """All that one run of an agent may touch: every callable here is bound to this run and to no other.

    `heard` gives the texts that the user has said since it was last asked.
    """

    context: UserExecutionContext
    request: AgentRequest
    emit_thinking: EmitThinking
    emit_partial_result: Callable[[str], None]
    call_tool: CallTool
    heard: Callable[[], list[str]]
    rng: random.Random


# For work that is handed on to a thread, or to a library that takes no task: whoever hands it on must bring
# the context along, as `asyncio.to_thread` does.
current_task: ContextVar[AgentTask] = ContextVar("current_task")


class AgentResult(Struct, frozen=True):
    """The answer's text, and whatever else the user is to see beside it."""

    answer: str
    data: Mapping[str, Any] = {}


class AgentFailedError(Exception):
    """An agent gives up; the text is shown to the user, so it must be safe to show."""


class Agent(Protocol):
    """One object serves all runs at once, so it keeps nothing of a run on itself."""

    async def run(self, task: AgentTask) -> AgentResult | None: ...
