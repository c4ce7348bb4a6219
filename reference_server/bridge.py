"""The only way events get out: the bridge numbers them, stamps them and hands them to their session."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from msgspec import Raw, Struct

from reference_server.clock import Clock
from reference_server.context import NO_CONTEXT, Emission, UserExecutionContext
from reference_server.message import (
    EVENT_TYPES,
    TERMINAL,
    AgentCompleted,
    AgentError,
    AgentStarted,
    AgentThinking,
    ErrorType,
    Event,
    EventPayload,
    PartialResult,
    ThoughtSource,
    ToolCompleted,
    ToolExecuting,
    ToolStatus,
    encode_event,
)
from reference_server.metrics import Metrics
from reference_server.session import Session

log = structlog.get_logger(part="bridge")

Emit = Callable[[Session, Event], None]


class EmissionTotals(Struct, frozen=True):
    """What one run's events cost: time inside the bridge, and how many were built."""

    emission_ns: int
    events: int


class _Stream:
    """The numbering of one run's events."""

    __slots__ = (
        "agent_name",
        "context",
        "echo",
        "emission",
        "emission_ns",
        "ended",
        "partials",
        "seq",
        "session",
    )

    def __init__(
        self, context: UserExecutionContext, agent_name: str, echo: Raw, session: Session, emission: Emission
    ) -> None:
        self.context = context
        self.agent_name = agent_name
        self.echo = echo
        self.session = session
        self.emission = emission
        self.emission_ns = 0
        self.seq = 0
        self.partials = 0
        self.ended = False


class AgentWebSocketBridge:
    """Turns what happens in a run into events of its user's session.

    Every `notify_…` returns at once, whatever state the socket is in, and never raises: what goes wrong is
    counted and logged, and the answer is False. `emit` is where an event leaves for its session; a fault
    committed on purpose wraps it.
    """

    def __init__(self, clock: Clock, metrics: Metrics, emit: Emit = Session.send) -> None:
        self._clock = clock
        self._metrics = metrics
        self._emit = emit
        self._streams: dict[str, _Stream] = {}

    def open_run(
        self,
        context: UserExecutionContext,
        session: Session,
        *,
        agent_name: str,
        echo: Raw = NO_CONTEXT,
        emission: Emission = "on",
    ) -> None:
        """Begin the run's stream: its events are numbered from 1 and go to `session`."""
        self._streams[context.run_id] = _Stream(context, agent_name, echo, session, emission)

    def close_run(self, context: UserExecutionContext) -> EmissionTotals:
        """Forget the run; whatever is still said of it is refused and counted."""
        stream = self._streams.pop(context.run_id)
        return EmissionTotals(stream.emission_ns, stream.seq)

    def notify_agent_started(self, context: UserExecutionContext, message: str) -> bool:
        return self._notify(context, lambda stream: AgentStarted(context.request_id, message, stream.echo))

    def notify_agent_thinking(
        self,
        context: UserExecutionContext,
        reasoning: str,
        step_number: int | None = None,
        *,
        source: ThoughtSource = "agent",
        progress_percentage: int | None = None,
    ) -> bool:
        return self._notify(
            context, lambda _: AgentThinking(reasoning, step_number, source, progress_percentage)
        )

    def notify_tool_executing(
        self,
        context: UserExecutionContext,
        tool_call_id: str,
        tool_name: str,
        parameters: Mapping[str, Any],
        redacted: Sequence[str] = (),
    ) -> bool:
        return self._notify(context, lambda _: ToolExecuting(tool_call_id, tool_name, parameters, redacted))

    def notify_tool_completed(
        self,
        context: UserExecutionContext,
        tool_call_id: str,
        tool_name: str,
        status: ToolStatus,
        result: Mapping[str, Any],
        redacted: Sequence[str] = (),
        execution_time_ms: float = 0.0,
    ) -> bool:
        return self._notify(
            context,
            lambda _: ToolCompleted(
                tool_call_id, tool_name, result, redacted, status, round(execution_time_ms, 3)
            ),
        )

    def notify_partial_result(self, context: UserExecutionContext, delta: str) -> bool:
        return self._notify(context, lambda stream: PartialResult(stream.partials, delta))

    def notify_agent_completed(
        self,
        context: UserExecutionContext,
        result: Mapping[str, Any],
        answer_sha256: str,
        execution_time_ms: float = 0.0,
    ) -> bool:
        return self._notify(
            context,
            lambda stream: AgentCompleted(
                result, answer_sha256, round(execution_time_ms, 3), context.request_id, stream.echo
            ),
        )

    def notify_agent_error(
        self, context: UserExecutionContext, error_type: ErrorType, error_message: str
    ) -> bool:
        return self._notify(
            context, lambda stream: AgentError(error_type, error_message, context.request_id, stream.echo)
        )

    def _notify(self, context: UserExecutionContext, build: Callable[[_Stream], EventPayload]) -> bool:
        emitted_ns = self._clock.monotonic_ns()
        stream = self._streams.get(context.run_id)
        if stream is None or stream.ended or stream.context is not context:
            return self._failed(context, "run_not_open")
        if stream.emission == "off":  # the null bridge
            return True
        try:
            self._hand_over(stream, build(stream), emitted_ns)
        except Exception as error:  # noqa: BLE001 - emission must never fail an agent, whatever goes wrong in it
            return self._failed(context, type(error).__name__)
        finally:
            stream.emission_ns += self._clock.monotonic_ns() - emitted_ns
        return True

    def _hand_over(self, stream: _Stream, payload: EventPayload, emitted_ns: int) -> None:
        context = stream.context
        event = Event(
            type=EVENT_TYPES[type(payload)],
            run_id=context.run_id,
            thread_id=context.thread_id,
            user_id=context.user_id,
            agent_name=stream.agent_name,
            timestamp=self._clock.now(),
            seq=stream.seq + 1,
            emitted_ns=emitted_ns,
            payload=payload,
        )
        if stream.emission == "on":
            self._emit(stream.session, event)
        else:
            encode_event(event, 0)
        # Only now: an event that could not be encoded leaves no gap, and an end not told is no end.
        stream.seq += 1
        stream.partials += isinstance(payload, PartialResult)
        stream.ended = isinstance(payload, TERMINAL)
        self._metrics.events[type(payload)].inc()

    def _failed(self, context: UserExecutionContext, reason: str) -> bool:
        self._metrics.delivery_failures.labels(reason=reason).inc()
        log.warning("delivery_failed", run_id=context.run_id, reason=reason)
        return False
