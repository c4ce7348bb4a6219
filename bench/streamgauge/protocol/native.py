"""The native protocol, version 1 (docs/wire.md): JSON text messages with an envelope."""

import hashlib
from array import array
from collections.abc import Callable, Sequence
from typing import ClassVar, Final

import msgspec
from msgspec import UNSET

from streamgauge.core.canary import foreign
from streamgauge.core.contract import EVERY_RULE
from streamgauge.core.event import Account, Event, Kind
from streamgauge.core.observation import Stretch
from streamgauge.protocol import native_messages as m
from streamgauge.protocol.decoding import UNDECODABLE, unknown
from streamgauge.protocol.dialect import Echo, Place, Read, Request, Unreadable, context_digest

try:
    from streamgauge.protocol._native import gather as _gather
except ImportError:  # there was no compiler when it was installed: every event goes the long way

    def _gather(*_: object) -> None:  # type: ignore[misc] # takes anything, gathers nothing
        return None


_decode: Final = msgspec.json.Decoder(m.AnyMessage).decode
_encode: Final = msgspec.json.Encoder().encode

_KNOWN: Final = m.type_names()
_PLAIN: Final[dict[type, Kind]] = {m.Ack: Kind.ACK, m.Heartbeat: Kind.HEARTBEAT}
_STARTED, _THINKING, _TOOL_EXECUTING, _TOOL_COMPLETED, _PARTIAL, _COMPLETED, _FAILED = map(
    int,
    (
        *(Kind.STARTED, Kind.THINKING, Kind.TOOL_EXECUTING, Kind.TOOL_COMPLETED),
        *(Kind.PARTIAL, Kind.COMPLETED, Kind.FAILED),
    ),
)
_PIPELINE_STEPS: Final = (1, 2, 3)
_RUN_LOST: Final = "run_lost"  # the server that ran it is gone


class NativeReader:
    """Reads one connection; remembers the server's clock and the deltas of open runs."""

    def __init__(self) -> None:
        self._clock = ""
        self._context, self._context_digest = b"", ""  # the last one
        self._deltas: dict[str, dict[int, bytes]] = {}

    def expect(self, request: Request, echo: Echo) -> None:
        """Messages say themselves what they answer; mostly they repeat the context as it was written."""
        self._context, self._context_digest = _encode(request.context), echo.context

    def read(self, message: bytes) -> tuple[Event, bytes]:
        """The event; where deltas were joined, also the joined text, to be scanned."""
        try:
            decoded = _decode(message)
            return self._READ[type(decoded)](self, decoded)
        except UNDECODABLE as error:
            return unknown(message, error, _KNOWN), b""

    def gather(
        self,
        messages: Sequence[object],
        start: int,
        canary: bytes,
        max_bytes: int,
        read: Read,
    ) -> Stretch | None:
        """The stretch that begins with `messages[start]`, where the compiled reader sees one."""
        gathered = _gather(messages, start, canary, max_bytes)
        if gathered is None:
            return None
        # bare, in the order of _native.c: a name for each would cost as much as the reading
        (user, run, thread, agent, clock, seq, offset, forms, sizes, emitted,
         calls, request, context, answer, index, accepted, parts, text) = gathered  # fmt: skip
        digest = joined = ""
        if context:
            try:
                digest = self._digest(context)
            except UNDECODABLE:
                return None
        ends = forms[-1] == _COMPLETED
        if parts and (not ends or run in self._deltas):  # more came before, or will come
            self._keep(run, index, text, array("I", parts))
        if ends and run in self._deltas:
            joined, text = self._joined(run)
        elif ends and parts:  # even of empty texts: they are an answer
            joined = hashlib.sha256(text).hexdigest()
        if ends:
            if text and foreign(text, canary):
                return None  # what was kept of it will be read once more
            self._deltas.pop(run, None)
        conn, at_ns, kernel_ns, exact = read
        last = exact and start + len(forms) + (accepted > 0) == len(messages)
        return Stretch(
            conn, at_ns, kernel_ns, last,
            user, run, thread, agent, clock or self._clock, seq, offset, forms, sizes, emitted,
            calls, request, digest, answer, joined, index, accepted, parts,
        )  # fmt: skip

    # One method a type of event. Fields go by position and no further than needed, a row of them a
    # line: naming them, or passing all, costs as much as everything else.
    # fmt: off

    def _thinking(self, e: m.AgentThinking) -> tuple[Event, bytes]:
        payload = e.payload
        pipeline, step = payload.source == "pipeline", payload.step_number or 0
        if pipeline and step not in _PIPELINE_STEPS:
            raise Unreadable("agent_thinking of the pipeline with a step_number other than 1, 2, 3")
        event = Event(
            _THINKING, e.user_id, e.run_id, e.thread_id, e.agent_name, "",
            e.seq, e.offset, e.emitted_ns, e.clock_id or self._clock, pipeline, step,
        )
        return event, b""

    def _partial(self, e: m.PartialResult) -> tuple[Event, bytes]:
        index, delta = e.payload.index, e.payload.delta.encode()
        size = len(delta)
        self._deltas.setdefault(e.run_id, {})[index] = delta
        event = Event(
            _PARTIAL, e.user_id, e.run_id, e.thread_id, e.agent_name, "",
            e.seq, e.offset, e.emitted_ns, e.clock_id or self._clock, False, 0, "", "", index, size,
        )
        return event, b""

    def _tool_executing(self, e: m.ToolExecuting) -> tuple[Event, bytes]:
        event = Event(
            _TOOL_EXECUTING, e.user_id, e.run_id, e.thread_id, e.agent_name, "",
            e.seq, e.offset, e.emitted_ns, e.clock_id or self._clock, False, 0, e.payload.tool_call_id,
        )
        return event, b""

    def _tool_completed(self, e: m.ToolCompleted) -> tuple[Event, bytes]:
        payload = e.payload
        event = Event(
            _TOOL_COMPLETED, e.user_id, e.run_id, e.thread_id, e.agent_name, "",
            e.seq, e.offset, e.emitted_ns, e.clock_id or self._clock, False, 0,
            payload.tool_call_id, payload.status,
        )
        return event, b""

    def _started(self, e: m.AgentStarted) -> tuple[Event, bytes]:
        payload = e.payload
        event = Event(
            _STARTED, e.user_id, e.run_id, e.thread_id, e.agent_name, payload.request_id,
            e.seq, e.offset, e.emitted_ns, e.clock_id or self._clock, False, 0, "", "", -1, 0,
            self._digest(bytes(payload.context)),
        )
        return event, b""

    def _completed(self, e: m.AgentCompleted) -> tuple[Event, bytes]:
        payload, context = e.payload, self._digest(bytes(e.payload.context))
        joined, text = self._joined(e.run_id)
        self._deltas.pop(e.run_id, None)
        event = Event(
            _COMPLETED, e.user_id, e.run_id, e.thread_id, e.agent_name, payload.request_id,
            e.seq, e.offset, e.emitted_ns, e.clock_id or self._clock, False, 0, "", "", -1, 0,
            context, payload.answer_sha256, joined,
        )
        return event, text

    def _failed(self, e: m.AgentError) -> tuple[Event, bytes]:
        payload, context = e.payload, self._digest(bytes(e.payload.context))
        joined, text = self._joined(e.run_id)
        self._deltas.pop(e.run_id, None)
        status = payload.error_type
        event = Event(
            _FAILED, e.user_id, e.run_id, e.thread_id, e.agent_name, payload.request_id,
            e.seq, e.offset, e.emitted_ns, e.clock_id or self._clock, False, 0, "", status, -1, 0,
            context, "", joined, status == _RUN_LOST,
        )
        return event, text

    # fmt: on

    def _accepted(self, message: m.RunAccepted) -> tuple[Event, bytes]:
        p = message.payload
        return Event(Kind.ACCEPTED, run=p.run_id, thread=p.thread_id, request=p.request_id), b""

    def _report(self, message: m.RunReport) -> tuple[Event, bytes]:
        p = message.payload
        account = Account(p.execution_ns, p.emission_ns, p.events)
        return Event(Kind.REPORT, run=p.run_id, account=account), b""

    def _greeting(self, message: m.ConnectionEstablished) -> tuple[Event, bytes]:
        p = message.payload
        self._clock = p.clock_id
        return Event(Kind.GREETING, user=p.user_id, clock=p.clock_id), b""

    def _refused(self, message: m.Complaint) -> tuple[Event, bytes]:
        p = message.payload
        request = "" if p.request_id is UNSET else p.request_id
        return Event(Kind.REFUSED, request=request, status=p.code), b""

    def _pong(self, message: m.Pong) -> tuple[Event, bytes]:
        p = message.payload
        pong = Event(Kind.PONG, request=str(p.client_ns), emitted_ns=p.server_ns, clock=self._clock)
        return pong, b""

    def _plain(self, message: m.Message) -> tuple[Event, bytes]:
        return Event(_PLAIN[type(message)]), b""

    _READ: ClassVar[dict[type, Callable[..., tuple[Event, bytes]]]] = {
        m.AgentThinking: _thinking,
        m.PartialResult: _partial,
        m.ToolExecuting: _tool_executing,
        m.ToolCompleted: _tool_completed,
        m.AgentStarted: _started,
        m.AgentCompleted: _completed,
        m.AgentError: _failed,
        m.RunAccepted: _accepted,
        m.RunReport: _report,
        m.ConnectionEstablished: _greeting,
        m.Complaint: _refused,
        m.Pong: _pong,
        **dict.fromkeys((m.Ack, m.Heartbeat), _plain),
    }

    def _digest(self, raw: bytes) -> str:
        """A context's digest; a run repeats its own twice, mostly in the same words."""
        if raw != self._context:
            self._context, self._context_digest = raw, context_digest(msgspec.json.decode(raw))
        return self._context_digest

    def _keep(self, run: str, index: int, text: bytes, sizes: Sequence[int]) -> None:
        """Keep deltas that came together until the run ends."""
        kept = self._deltas.setdefault(run, {})
        start = 0
        for place, size in enumerate(sizes, index):
            kept[place] = text[start : start + size]
            start += size

    def _joined(self, run: str) -> tuple[str, bytes]:
        """Digest and text of the run's deltas, in the order of their index."""
        deltas = self._deltas.get(run)
        if deltas is None:
            return "", b""
        order = sorted(deltas)
        text = b"".join([deltas[index] for index in order])
        digest = hashlib.sha256(text).hexdigest()
        if order[-1] >= len(order):  # what a loss brought together makes no token: nobody said it
            text = b"".join([b" " * (index - 1 not in deltas) + deltas[index] for index in order])
        return digest, text


class Native:
    """How to speak to and read a server of the native protocol."""

    name = "native"
    promises = EVERY_RULE
    greets = True
    accepts = True
    scripts = True
    digests = True

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

    def place(self, message: bytes, event: Event) -> Place:  # noqa: ARG002 - the event tells
        """In its run, whose events are counted."""
        return Place(event.run, missed=event.seq > 0)

    def cancel(self, run: str) -> bytes:
        """A `cancel_run` message."""
        return _encode({"type": "cancel_run", "payload": {"run_id": run}})

    def say(self, run: str, text: str) -> bytes:
        """A `user_message` message."""
        return _encode({"type": "user_message", "payload": {"run_id": run, "text": text}})

    def ping(self, client_ns: int) -> bytes:
        """A `ping` message."""
        return _encode({"type": "ping", "payload": {"client_ns": client_ns}})


NATIVE: Final = Native()
