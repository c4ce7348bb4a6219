"""Reads a connection that speaks AG-UI: whose run every event is of, and where runs begin and end.

Only RUN_STARTED and RUN_FINISHED name their run; what stands between them is of the
run that is open. The client chooses the run's name, so that the reader, which is
told of every request, puts the name on every event, also where a beginning or an end
is missing: the contract then sees what is wrong, once.
"""

from typing import Final

import msgspec

from streamgauge.core.event import Event, Kind
from streamgauge.protocol import ag_ui_messages as m
from streamgauge.protocol.ag_ui_parts import Standing
from streamgauge.protocol.ag_ui_run import KINDS, MOVES, Run, part_of, stands
from streamgauge.protocol.decoding import UNDECODABLE, unknown
from streamgauge.protocol.dialect import Echo, Request

_decode: Final = msgspec.json.Decoder(m.AnyEvent).decode
_KNOWN: Final = m.type_names()
_SUCCESS, _CANCELLED = "success", "cancelled"  # outcomes
_IGNORED: Final = Event(Kind.OTHER), b""


def place_of(message: bytes) -> tuple[str, bool]:
    """The part that a message is of, "" for none, and whether that cannot go on without it."""
    try:
        return stands(_decode(message))
    except UNDECODABLE:
        return "", False


class AgUiReader:
    """Reads one connection, on which runs follow each other."""

    def __init__(self) -> None:
        self._waiting: dict[str, str] = {}  # request -> thread, the oldest first
        self._open: Run | None = None
        self._last: Run | None = None  # that ended
        self._left: set[str] = set()  # were open when another began

    def expect(self, request: Request, _: Echo) -> None:
        """The user asked for a run, by this name."""
        self._waiting[request.request] = request.thread

    def read(self, message: bytes) -> tuple[Event, bytes]:
        """The event; where a text ended, also the whole of it, to be scanned."""
        try:
            said = _decode(message)
        except UNDECODABLE as error:
            return unknown(message, error, _KNOWN), b""
        match said:
            case m.RunStarted():
                return self._begin(said)
            case m.RunFinished():
                return self._finish(said)
            case m.RunError():
                return self._fail(said)
        return self._take(said)

    def gather(self, *_: object) -> None:
        """Its events go one by one."""

    def _next(self, name: str = "") -> Run | None:
        """A run for the request of that name, else for the oldest that waits; it waits no longer."""
        name = name if name in self._waiting else next(iter(self._waiting), "")
        return Run(name, self._waiting.pop(name)) if name else None

    def _begin(self, said: m.RunStarted) -> tuple[Event, bytes]:
        now, last, name = self._open, self._last, said.run
        text = b""
        if now and (name in (now.name, now.told) or not (now.begun or name in self._waiting)):
            run = now  # twice; or late, where what came before was put down to it
        elif not now and last and name == last.name and name not in self._waiting:
            if not last.begun:
                last.begun = True
                return _IGNORED  # its end came first, and that was said
            run = last
        else:
            if now:  # its end is lost, or will come out of place
                self._left.add(now.name)
                text = now.parts.rest()
            run = self._open = self._next(name) or Run(name, said.thread)
        run.begun, run.told = True, name
        return Event(Kind.STARTED, run=run.name, thread=said.thread, request=name), text

    def _finish(self, said: m.RunFinished) -> tuple[Event, bytes]:
        now, last, name = self._open, self._last, said.run
        run, breach, text = name, "", b""
        ends = now is not None and name in (now.name, now.told)
        if not ends and last and name in (last.name, last.told):
            run = last.name  # twice
        elif not ends and name in self._left:
            breach = "RUN_FINISHED of a run that is not the open one"
        elif now:  # whatever name it is given
            run, text = now.name, now.parts.rest()
            breach = f"RUN_FINISHED before the end of {now.unclosed}" if now.unclosed else ""
            self._close(now, Kind.COMPLETED)
        elif name in self._waiting:  # an end without a beginning
            self._close(Run(name, self._waiting.pop(name)), Kind.COMPLETED)
        outcome = said.outcome.type if said.outcome else _SUCCESS
        # a cancelled run brings no result, though the protocol has it finish
        kind = Kind.FAILED if outcome == _CANCELLED else Kind.COMPLETED
        status = "" if outcome == _SUCCESS else outcome
        return Event(kind, run=run, thread=said.thread, request=name, status=status, breach=breach), text

    def _fail(self, said: m.RunError) -> tuple[Event, bytes]:
        """A failure names no run: it is the open one's, else that of the oldest request."""
        last = self._last
        run = self._open or self._next()
        if run is None:
            if last is None or last.ended is not Kind.FAILED:  # legal after RUN_FINISHED, and nobody's
                if last:
                    last.ended = Kind.FAILED
                return _IGNORED
            run = last
        run.begun = True  # a run may be nothing but its error
        text = run.parts.rest()
        self._close(run, Kind.FAILED)
        status = said.code or "error"
        event = Event(Kind.FAILED, run=run.name, thread=run.thread, request=run.name, status=status, cut=True)
        return event, text

    def _close(self, run: Run, ended: Kind) -> None:
        run.ended = ended
        self._open, self._last = None, run

    def _take(self, said: m.Said) -> tuple[Event, bytes]:
        """What stands in a run, or should."""
        run = self._open or self._outside(said)
        if run is None:
            return Event(Kind.OTHER, breach=f"{m.name_of(said)} before any run"), b""
        if run is not self._open:
            return self._late(said, run)
        kind, call, size, breach, text = run.take(said)
        return Event(kind, run=run.name, thread=run.thread, call=call, size=size, breach=breach), text

    def _outside(self, said: m.Said) -> Run | None:
        """Whose an event is when no run is open: the last one's, or that of a request whose start is lost."""
        last, part = self._last, part_of(said)
        if last and part and last.parts.standing(part) is not Standing.NEW:
            return last
        self._open = self._next()
        return self._open or last

    def _late(self, said: m.Said, run: Run) -> tuple[Event, bytes]:
        """An event after the end of its run; one that the end had left open was missed there, and said."""
        part, move = part_of(said), MOVES.get(type(said))
        if part and move and run.ended is Kind.COMPLETED and run.parts.is_unclosed(part):
            run.parts.take(part, move[1])
            return _IGNORED
        return Event(KINDS.get(type(said), Kind.WORK), run=run.name, thread=run.thread), b""
