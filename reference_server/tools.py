"""Tools, and the one engine through which every call of every agent goes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import structlog
from msgspec import Struct

from reference_server.bridge import AgentWebSocketBridge
from reference_server.clock import Clock
from reference_server.message import ToolStatus
from reference_server.redact import redact
from reference_server.run import OpenCall, Run

log = structlog.get_logger(part="tools")


ToolFunction = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


class Tool(Struct, frozen=True):
    """A named function; what it is given and what it returns is shown to the user, secrets redacted."""

    name: str
    function: ToolFunction


class ToolError(Exception):
    """A tool fails; `result` is shown to the user, so it must be safe to show."""

    def __init__(self, result: Mapping[str, Any], status: ToolStatus = "error") -> None:
        super().__init__(status)
        self.result = result
        self.status: ToolStatus = status


class ToolOutcome(Struct, frozen=True):
    """How a call ended. A failed call is an outcome too: what to make of it is the agent's to decide."""

    status: ToolStatus
    result: Mapping[str, Any]


class CallTool(Protocol):
    """Call a tool on behalf of one run."""

    async def __call__(self, tool: Tool, parameters: Mapping[str, Any]) -> ToolOutcome: ...


class UnifiedToolExecutionEngine:
    """Runs tools, and tells the bridge before and after each, however the call ends."""

    def __init__(self, bridge: AgentWebSocketBridge, clock: Clock, timeout_s: float) -> None:
        self._bridge = bridge
        self._clock = clock
        self._timeout_s = timeout_s

    async def execute(self, run: Run, tool: Tool, parameters: Mapping[str, Any]) -> ToolOutcome:
        """Run one tool for one run.

        Raises `RuntimeError` where the run's agent has ended already, `TypeError` where the parameters have
        no form in JSON, and lets cancellation through; whatever else happens is an outcome.
        """
        if run.agent_done:
            raise RuntimeError(f"tool {tool.name}: the agent of run {run.context.run_id} has ended")
        call_id = self._begin(run, tool, parameters)
        try:
            async with asyncio.timeout(self._timeout_s):
                outcome = ToolOutcome("success", await tool.function(parameters))
            shown, redacted = redact(outcome.result)
        except asyncio.CancelledError:
            self._complete(run, call_id, run.cause or "cancelled", {}, [])
            raise
        except Exception as error:  # noqa: BLE001 - whatever a tool raises is a failed call, not a failed agent
            log.info("tool_failed", tool=tool.name, run_id=run.context.run_id, error=type(error).__name__)
            outcome = _failure(error)
            shown, redacted = redact(outcome.result)
        self._complete(run, call_id, outcome.status, shown, redacted)
        return outcome

    def end_run(self, run: Run) -> None:
        """Complete what the agent left open, so that no call outlives its run."""
        run.agent_done = True
        for call_id in list(run.open_calls):
            self._complete(run, call_id, run.cause or "cancelled", {}, [])

    def _begin(self, run: Run, tool: Tool, parameters: Mapping[str, Any]) -> str:
        shown, redacted = redact(parameters)
        run.calls += 1
        call_id = f"{run.context.run_id}-{run.calls}"
        run.open_calls[call_id] = OpenCall(tool.name, self._clock.monotonic_ns())
        self._bridge.notify_tool_executing(run.context, call_id, tool.name, shown, redacted)
        return call_id

    def _complete(
        self, run: Run, call_id: str, status: ToolStatus, result: Mapping[str, Any], redacted: list[str]
    ) -> None:
        call = run.open_calls.pop(call_id, None)
        if call is None:  # `end_run` was first: a call is completed once
            return
        elapsed_ms = (self._clock.monotonic_ns() - call.started_ns) / 1e6
        self._bridge.notify_tool_completed(
            run.context, call_id, call.tool_name, status, result, redacted, elapsed_ms
        )


class ToolDispatcher:
    """Where agents' tool calls arrive; without an engine it refuses them, so that no call goes unseen."""

    def __init__(self) -> None:
        self._engine: UnifiedToolExecutionEngine | None = None

    def use(self, engine: UnifiedToolExecutionEngine) -> None:
        self._engine = engine

    @property
    def engine(self) -> UnifiedToolExecutionEngine:
        """The engine. Raises `RuntimeError` where none was wired."""
        if self._engine is None:
            raise RuntimeError("no tool engine: call AgentRegistry.set_websocket_manager(bridge) first")
        return self._engine

    async def dispatch(self, run: Run, tool: Tool, parameters: Mapping[str, Any]) -> ToolOutcome:
        """Send one call through the engine."""
        return await self.engine.execute(run, tool, parameters)


def _failure(error: Exception) -> ToolOutcome:
    if isinstance(error, ToolError):
        return ToolOutcome(error.status, error.result)
    if isinstance(error, TimeoutError):
        return ToolOutcome("timeout", {"error": "timeout"})
    return ToolOutcome("error", {"error": type(error).__name__})
