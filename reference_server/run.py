"""One run under way, and the book of all runs."""

import asyncio
from collections import OrderedDict, deque
from typing import Literal

from msgspec import Struct

from reference_server.context import AgentRequest, UserExecutionContext

StopCause = Literal["cancelled", "timeout"]

MAX_UNHEARD = 64


class OpenCall(Struct, frozen=True):
    """A tool call that has begun and not yet ended."""

    tool_name: str
    started_ns: int


class Run:
    """What changes about a run while it lives: open tool calls, why it was stopped, what its user said."""

    def __init__(self, context: UserExecutionContext, request: AgentRequest) -> None:
        self.context = context
        self.request = request
        self.cause: StopCause | None = None
        self.stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.agent_done = False
        self.calls = 0
        self.open_calls: dict[str, OpenCall] = {}
        self._unheard: deque[str] = deque()

    def stop(self, cause: StopCause) -> None:
        """Ask the run to end; the first cause stands."""
        if self.cause is None:
            self.cause = cause
            self.stopped.set_result(None)

    def say(self, text: str) -> bool:
        """Keep what the user says until the agent's next step; False where too much is waiting already."""
        if len(self._unheard) >= MAX_UNHEARD:
            return False
        self._unheard.append(text)
        return True

    def heard(self) -> list[str]:
        """Take what the user has said since the last time."""
        texts = list(self._unheard)
        self._unheard.clear()
        return texts


class RunBook:
    """Runs by id, seen by their own user only; the ended ones are remembered for a while.

    Another user's run gives exactly what no run gives.
    """

    def __init__(self, remembered: int = 10_000) -> None:
        self._active: dict[str, Run] = {}
        self._ended: OrderedDict[str, str] = OrderedDict()
        self._remembered = remembered

    def __len__(self) -> int:
        return len(self._active)

    def under_way(self) -> list[Run]:
        """All that have not ended, whoever's they are."""
        return list(self._active.values())

    def open(self, run: Run) -> None:
        self._active[run.context.run_id] = run

    def close(self, run: Run) -> None:
        del self._active[run.context.run_id]
        self._ended[run.context.run_id] = run.context.user_id
        if len(self._ended) > self._remembered:
            self._ended.popitem(last=False)

    def find(self, user_id: str, run_id: str) -> Run | None:
        """The user's run, where it is still under way."""
        run = self._active.get(run_id)
        return run if run is not None and run.context.user_id == user_id else None

    def owner(self, run_id: str) -> str | None:
        """Whose run this is or was; never to be told to anybody else."""
        run = self._active.get(run_id)
        return self._ended.get(run_id) if run is None else run.context.user_id

    def has_ended(self, user_id: str, run_id: str) -> bool:
        """Whether this was a run of the user."""
        return self._ended.get(run_id) == user_id
