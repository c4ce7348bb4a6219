"""The native protocol, version 1 (docs/wire.md): JSON text messages with an envelope."""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import UNSET

from streamgauge.core.contract import EVERY_RULE
from streamgauge.core.event import Account, Event, Kind
from streamgauge.protocol import native_messages as m
from streamgauge.protocol.decoding import UNDECODABLE, unknown
from streamgauge.protocol.dialect import Echo, Request, Unreadable, context_digest

_decode: Final = msgspec.json.Decoder(m.AnyMessage).decode
_encode: Final = msgspec.json.Encoder().encode

_KNOWN: Final = m.type_names()
_PLAIN: Final[dict[type, Kind]] = {m.Ack: Kind.ACK, m.Heartbeat: Kind.HEARTBEAT, m.Pong: Kind.PONG}
_PIPELINE_STEPS: Final = (1, 2, 3)
_RUN_LOST: Final = "run_lost"  # the server that ran it is gone


class NativeReader:
    """Reads one connection; remembers the server's clock and the deltas of open runs."""

    def __init__(self) -> None:
        self._clock = ""
        self._deltas: dict[str, dict[int, str]] = {}

    def expect(self, request: str, thread: str) -> None:
        """Its messages say themselves what they answer."""

    def read(self, message: bytes) -> tuple[Event, bytes]:
        """The event; where deltas were joined, also the joined text, to be scanned."""
        try:
            decoded = _decode(message)
            if isinstance(decoded, m.RunEvent):
                return self._run_event(decoded)
        except UNDECODABLE as error:
            return unknown(message, error, _KNOWN), b""
        match decoded:
            case m.RunAccepted(payload=p):
                return Event(Kind.ACCEPTED, run=p.run_id, thread=p.thread_id, request=p.request_id), b""
            case m.RunReport(payload=p):
                account = Account(p.execution_ns, p.emission_ns, p.events)
                return Event(Kind.REPORT, run=p.run_id, account=account), b""
            case m.ConnectionEstablished(payload=p):
                self._clock = p.clock_id
                return Event(Kind.GREETING, user=p.user_id, clock=p.clock_id), b""
            case m.Complaint(payload=p):
                request = "" if p.request_id is UNSET else p.request_id
                return Event(Kind.REFUSED, request=request, status=p.code), b""
        return Event(_PLAIN[type(decoded)]), b""

    def _run_event(self, e: m.RunEvent) -> tuple[Event, bytes]:
        request = call = status = context = answer = joined = ""
        pipeline = False
        step, index, size = 0, -1, 0
        text = b""
        match e:
            case m.AgentThinking(payload=thought):
                kind = Kind.THINKING
                pipeline, step = thought.source == "pipeline", thought.step_number or 0
                if pipeline and step not in _PIPELINE_STEPS:
                    raise Unreadable("agent_thinking of the pipeline with a step_number other than 1, 2, 3")
            case m.PartialResult(payload=part):
                kind, index, size = Kind.PARTIAL, part.index, len(part.delta.encode())
                self._deltas.setdefault(e.run_id, {})[index] = part.delta
            case m.ToolExecuting(payload=tool):
                kind, call = Kind.TOOL_EXECUTING, tool.tool_call_id
            case m.ToolCompleted(payload=tool_end):
                kind, call, status = Kind.TOOL_COMPLETED, tool_end.tool_call_id, tool_end.status
            case m.AgentStarted(payload=opening):
                kind, request, context = Kind.STARTED, opening.request_id, _context(opening.context)
            case m.AgentCompleted(payload=end):
                kind, request, context = Kind.COMPLETED, end.request_id, _context(end.context)
                answer = end.answer_sha256
                joined, text = self._join(e.run_id)
            case m.AgentError(payload=failure):
                kind, request, context = Kind.FAILED, failure.request_id, _context(failure.context)
                status = failure.error_type
                joined, text = self._join(e.run_id)
            case _:
                raise AssertionError(type(e))
        event = Event(
            kind,
            e.user_id,
            e.run_id,
            e.thread_id,
            e.agent_name,
            request,
            e.seq,
            e.offset,
            e.emitted_ns,
            e.clock_id or self._clock,
            pipeline,
            step,
            call,
            status,
            index,
            size,
            context,
            answer,
            joined,
            cut=status == _RUN_LOST,
        )
        return event, text

    def _join(self, run: str) -> tuple[str, bytes]:
        """Digest and text of the run's deltas, in the order of their index."""
        deltas = self._deltas.pop(run, None)
        if deltas is None:
            return "", b""
        text = "".join(deltas[index] for index in sorted(deltas)).encode()
        return hashlib.sha256(text).hexdigest(), text


def _context(raw: msgspec.Raw) -> str:
    return context_digest(msgspec.json.decode(raw))


class Native:
    """How to log in to, speak to and read a server of the native protocol."""

    name = "native"
    promises = EVERY_RULE
    greets = True
    accepts = True

    def login(self, token: str) -> Mapping[str, str]:
        """The user is the `sub` of a JWT in the Authorization header."""
        return {"Authorization": f"Bearer {token}"}

    def reader(self) -> NativeReader:
        """A reader for a new connection."""
        return NativeReader()

    def start(self, request: Request) -> bytes:
        """A `start_agent` message."""
        payload: dict[str, object] = {
            "user_request": request.text,
            "request_id": request.request,
            "thread_id": request.thread,
            "agent_name": request.agent,
            "context": request.context,
        }
        if request.options:
            payload["options"] = request.options
        return _encode({"type": "start_agent", "payload": payload})

    def echo(self, request: Request) -> Echo:
        """All of it: ids, agent and context."""
        return Echo(request.thread, request.agent, context_digest(request.context))

    def cancel(self, run: str) -> bytes:
        """A `cancel_run` message."""
        return _encode({"type": "cancel_run", "payload": {"run_id": run}})

    def say(self, run: str, text: str) -> bytes:
        """A `user_message` message."""
        return _encode({"type": "user_message", "payload": {"run_id": run, "text": text}})


NATIVE: Final = Native()
