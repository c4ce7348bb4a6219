"""What the server does about each command, and the life of sessions and runs."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

import structlog

from reference_server.bridge import AgentWebSocketBridge
from reference_server.clock import Clock
from reference_server.command import (
    CancelRun,
    Command,
    Ping,
    Refused,
    Resume,
    StartAgent,
    Subscribe,
    UserMessage,
)
from reference_server.context import UserExecutionContext
from reference_server.core import AgentExecutionCore
from reference_server.losses import Losses
from reference_server.message import Ack, MessagePayload, Pong, ResumeFailed, RunAccepted, RunReport
from reference_server.metrics import Metrics
from reference_server.parts import Parts
from reference_server.request import encoded_size, read_request
from reference_server.run import Run, RunBook
from reference_server.session import Session
from reference_server.settings import Settings

log = structlog.get_logger(part="gateway")


def new_id(prefix: str) -> str:
    """Make an id that nobody can guess: 128 random bits."""
    return f"{prefix}-{secrets.token_hex(16)}"


class Gateway:
    """Keeps the sessions and their runs, and answers commands. Touches no socket."""

    def __init__(
        self,
        settings: Settings,
        core: AgentExecutionCore,
        bridge: AgentWebSocketBridge,
        metrics: Metrics,
        clock: Clock,
        parts: Parts = Parts(),  # noqa: B008 - frozen
    ) -> None:
        self._settings = settings
        self._core = core
        self._bridge = bridge
        self._metrics = metrics
        self._clock = clock
        self._parts = parts
        self._tasks: set[asyncio.Task[None]] = set()
        self._answers: dict[type[Command], Callable[[Session, str, Any], MessagePayload]] = {
            StartAgent: self._start_agent,
            UserMessage: self._user_message,
            CancelRun: self._cancel_run,
            Subscribe: self._subscribe,
            Resume: self._resume,
            Ping: self._ping,
        }
        self.draining = False
        self.runs = RunBook()
        self.sessions: dict[str, Session] = {}

    def open_session(self, user_id: str, connection_id: str = "none") -> Session:
        """Begin a fresh session; logs name it by its connection, because its own id is as good as a key."""
        losses = Losses(self._metrics, connection_id)
        outbox = self._parts.make_outbox(self._settings.outbox_messages, self._settings.outbox_bytes, losses)
        session = Session(new_id("session"), user_id, outbox, losses)
        self.sessions[session.id] = session
        self._parts.opened(session)
        return session

    def leave_session(self, session: Session) -> None:
        """Note that the connection is gone: the session is kept for its window, then ends with its runs."""
        session.attached = False
        self._parts.left(session)
        session.losses.add("closed", session.outbox.close())
        session.losses.tell()
        asyncio.get_running_loop().call_later(self._settings.window_s, self._end_session, session)

    def answer(self, session: Session, connection_id: str, command: Command) -> MessagePayload:
        """Do what a command says and return what the client is told first.

        Raises `Refused` where nothing was done. The events of a run that was started come later than the
        answer, because its task begins only after this call.
        """
        return self._answers[type(command)](session, connection_id, command)

    async def drain(self) -> bool:
        """Start no more runs, and give those under way `drain_s` to finish; whether all did."""
        self.draining = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._settings.drain_s)
        return not self._tasks

    async def stop_runs(self) -> None:
        """End the runs that are left, and see them end."""
        for run in self.runs.under_way():
            run.stop("cancelled")
        if self._tasks:
            await asyncio.wait(self._tasks)

    def tell_losses(self) -> None:
        """Log what no session's end has told yet."""
        for session in self.sessions.values():
            session.losses.tell()

    def _start_agent(self, session: Session, connection_id: str, command: StartAgent) -> RunAccepted:
        known = session.accepted(command.request_id)
        if known is not None:
            return known
        if self.draining:
            raise Refused(
                "draining", "the server is going away: connect again and repeat", command.request_id
            )
        if len(session.runs) >= self._settings.max_runs_per_session:
            limit = self._settings.max_runs_per_session
            raise Refused("too_many_runs", f"{limit} runs are under way: let some finish", command.request_id)
        request = read_request(command, self._settings)
        context = UserExecutionContext(
            user_id=session.user_id,
            thread_id=command.thread_id or new_id("t"),
            run_id=new_id("r"),
            request_id=command.request_id,
            connection_id=connection_id,
        )
        run = Run(context, request)
        self._bridge.open_run(
            context, session, agent_name=request.agent_name, echo=request.echo, emission=request.emission
        )
        self.runs.open(run)
        session.runs.add(run)
        task = asyncio.create_task(self._supervise(run, session))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        accepted = RunAccepted(context.request_id, context.run_id, context.thread_id)
        session.accept(accepted)
        return accepted

    def _user_message(self, session: Session, _connection_id: str, command: UserMessage) -> Ack:
        run = self._run(session, command.run_id, "user_message")
        if encoded_size(command.text) > self._settings.max_request_bytes:
            raise Refused(
                "too_large", f"text: at most {self._settings.max_request_bytes} bytes: a thought repeats it"
            )
        if run is None:
            raise Refused("run_ended", "the run has ended already")
        if not run.say(command.text):
            raise Refused(
                "too_many_messages", "the agent has not yet seen the last ones: wait for its next step"
            )
        return Ack("user_message", command.run_id)

    def _cancel_run(self, session: Session, _connection_id: str, command: CancelRun) -> Ack:
        run = self._run(session, command.run_id, "cancel_run")
        if run is not None:  # where it has ended already, that end stands
            self._parts.cancel(session, run)
        return Ack("cancel_run", command.run_id)

    def _subscribe(self, _session: Session, _connection_id: str, _command: Subscribe) -> MessagePayload:
        raise Refused("not_supported", "this server does not offer subscribe")

    def _resume(self, _session: Session, _connection_id: str, _command: Resume) -> ResumeFailed:
        return ResumeFailed("there is no such session: this connection keeps its fresh one")

    def _ping(self, _session: Session, _connection_id: str, command: Ping) -> Pong:
        return Pong(command.client_ns, self._clock.monotonic_ns())

    def _run(self, session: Session, run_id: str, command: str) -> Run | None:
        """The user's run; None where it has ended. Another user's is not found, exactly as what never was."""
        run = self._parts.find_run(self.runs, session, run_id)
        if run is None and not self.runs.has_ended(session.user_id, run_id):
            raise Refused("not_found", f"{command}: there is no such run")
        return run

    async def _supervise(self, run: Run, session: Session) -> None:
        """See one run from its start to its last word."""
        started_ns = self._clock.monotonic_ns()
        outcome = "server_failed"
        try:
            outcome = await self._core.execute(run)
        except Exception:
            log.exception("run_crashed", run_id=run.context.run_id)
            self._bridge.notify_agent_error(run.context, "agent_failed", "The server failed.")
        finally:
            execution_ns = self._clock.monotonic_ns() - started_ns
            totals = self._bridge.close_run(run.context)
            self.runs.close(run)
            session.runs.discard(run)
            self._metrics.runs.labels(outcome=outcome).inc()
        if self._settings.measure:
            session.post(
                RunReport(
                    run.context.run_id, execution_ns, totals.emission_ns, totals.events, run.request.emission
                )
            )
        if not session.runs and session.id not in self.sessions:  # the last run that outlived its session
            session.losses.tell()

    def _end_session(self, session: Session) -> None:
        log.debug("session_ended", runs=len(session.runs))
        self._parts.expired(session)
        del self.sessions[session.id]
        if not session.runs:  # otherwise the last of them tells, with its own last words
            session.losses.tell()
