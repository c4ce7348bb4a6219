"""The pipeline around every agent: what is said before, between and after its own work."""

import asyncio
import hashlib
import random
from functools import partial
from types import MappingProxyType

import structlog
from msgspec import Struct

from reference_server.agent import Agent, AgentFailedError, AgentResult, AgentTask
from reference_server.bridge import AgentWebSocketBridge
from reference_server.clock import Clock
from reference_server.message import ErrorType
from reference_server.redact import redact
from reference_server.registry import AgentRegistry, UnknownAgentError
from reference_server.run import Run, StopCause
from reference_server.tools import ToolDispatcher

log = structlog.get_logger(part="core")

STOP_GRACE_S = 1.0  # for an agent that cleans up; one that ignores its cancellation is left behind


class Thought(Struct, frozen=True):
    """One of the pipeline's own thoughts."""

    step: int
    label: str
    progress: int


ANALYSING = Thought(1, "Analysing the request", 10)
EXECUTING = Thought(2, "Executing the agent for the request", 25)
CONCLUDING = Thought(3, "Concluding the work on the request", 90)


class Failure(Struct, frozen=True):
    """Why a run has no result, in words that are safe to show."""

    error_type: ErrorType
    message: str


NO_RESULT = Failure("no_result", "The agent ended without a result.")
UNTELLABLE = Failure("agent_failed", "The agent's result has no form in JSON.")
STOPPED: "MappingProxyType[StopCause, Failure]" = MappingProxyType(
    {
        "cancelled": Failure("cancelled", "The run was cancelled."),
        "timeout": Failure("timeout", "The run took longer than it may."),
    }
)


class AgentExecutionCore:
    """Runs one agent for one context, and makes every run end in exactly one terminal event."""

    def __init__(
        self,
        registry: AgentRegistry,
        dispatcher: ToolDispatcher,
        bridge: AgentWebSocketBridge,
        clock: Clock,
        timeout_s: float,
    ) -> None:
        self._registry = registry
        self._dispatcher = dispatcher
        self._bridge = bridge
        self._clock = clock
        self._timeout_s = timeout_s

    async def execute(self, run: Run) -> str:
        """Run to the end and return the outcome: `completed` or the error's type.

        The run's stream must be open in the bridge. Raises nothing that an agent can cause.
        """
        started_ns = self._clock.monotonic_ns()
        self._bridge.notify_agent_started(run.context, run.request.about("Started"))
        self._think(run, ANALYSING)
        try:
            agent = self._registry.get(run.request.agent_name)
        except UnknownAgentError as error:
            return self._fail(run, Failure("agent_failed", str(error)))
        self._think(run, EXECUTING)
        ended = await self._work(run, agent)
        self._dispatcher.engine.end_run(run)
        if isinstance(ended, Failure):
            return self._fail(run, ended)
        self._think(run, CONCLUDING)
        return self._complete(run, ended, started_ns)

    async def _work(self, run: Run, agent: Agent) -> AgentResult | Failure:
        """Let the agent work until it ends, is stopped or runs out of time."""
        # A task of its own: an agent that ignores its cancellation delays the run's end, but cannot stop it.
        work = asyncio.create_task(agent.run(self._task(run)))
        try:
            await asyncio.wait(
                (work, run.stopped), timeout=self._timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
            if work.done():
                return _ended(work, run)
            run.stop("timeout")  # the first cause stands: a run that was cancelled stays so
            work.cancel()
            await asyncio.wait((work,), timeout=STOP_GRACE_S)
        finally:
            work.add_done_callback(_retrieve)
            work.cancel()
        return STOPPED[run.cause or "timeout"]

    def _task(self, run: Run) -> AgentTask:
        """Bind everything that the agent may touch to this one run."""
        context = run.context

        def emit_thinking(reasoning: str, step_number: int | None = None) -> None:
            self._bridge.notify_agent_thinking(context, reasoning, step_number)

        def emit_partial_result(delta: str) -> None:
            self._bridge.notify_partial_result(context, delta)

        seed = run.request.seed
        return AgentTask(
            context=context,
            request=run.request,
            emit_thinking=emit_thinking,
            emit_partial_result=emit_partial_result,
            call_tool=partial(self._dispatcher.dispatch, run),
            heard=run.heard,
            rng=random.Random(context.run_id if seed is None else seed),  # noqa: S311 - simulated times, no secrets
        )

    def _think(self, run: Run, thought: Thought) -> None:
        self._bridge.notify_agent_thinking(
            run.context,
            run.request.about(thought.label),
            thought.step,
            source="pipeline",
            progress_percentage=thought.progress,
        )

    def _complete(self, run: Run, result: AgentResult, started_ns: int) -> str:
        elapsed_ms = (self._clock.monotonic_ns() - started_ns) / 1e6
        digest = hashlib.sha256(result.answer.encode()).hexdigest()
        told = {**result.data, "answer": result.answer}
        if self._bridge.notify_agent_completed(run.context, told, digest, elapsed_ms):
            return "completed"
        return self._fail(run, UNTELLABLE)

    def _fail(self, run: Run, failure: Failure) -> str:
        self._bridge.notify_agent_error(run.context, failure.error_type, failure.message)
        return failure.error_type


def _ended(work: "asyncio.Task[AgentResult | None]", run: Run) -> AgentResult | Failure:
    """Read how an agent ended by itself."""
    try:
        result = work.result()
        return NO_RESULT if result is None else _plain(result)
    except AgentFailedError as error:
        return Failure("agent_failed", str(error))
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever an agent raises ends its own run only
        log.warning("agent_failed", run_id=run.context.run_id, error=type(error).__name__)
        return Failure("agent_failed", f"The agent failed with {type(error).__name__}.")


def _plain(result: AgentResult) -> AgentResult:
    """Copy a result as JSON can carry it, without secrets. Raises where it cannot be carried."""
    result.answer.encode()
    data, _ = redact(result.data)
    return AgentResult(result.answer, data)


def _retrieve(work: "asyncio.Task[AgentResult | None]") -> None:
    """Look at how a stopped agent ended, or asyncio would report it as overlooked."""
    if not work.cancelled():
        work.exception()
