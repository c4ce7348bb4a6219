"""The client end of one WebSocket: bytes in, messages out, and now and then bytes to be written.

Text frames go the short way through `frames.read_texts`.  Everything rare (control frames, fragments,
binary, whatever is faulty) goes, one whole frame at a time, to websockets' own protocol, which is made
when it is needed and dropped when it remembers nothing: an idle session is a few hundred bytes.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from websockets.exceptions import ProtocolError
from websockets.frames import CLOSE, CONT, DATA_OPCODES, PING, PONG, TEXT, CloseCode, Frame, Opcode
from websockets.protocol import CLIENT, Protocol, State

from streamgauge.core.canary import SIZE
from streamgauge.wire.frames import frame_need, masked_text
from streamgauge.wire.handshake import QUIET, Handshake, MisuseError, Refusal
from streamgauge.wire.message import Aside, Message, Unreadable, Where

try:
    from streamgauge.wire._frames import read_texts
except ImportError:  # there was no compiler when it was installed
    from streamgauge.wire.frames import read_texts

_CONTROL: Final[dict[Opcode, Where]] = {PING: "ping", PONG: "pong", CLOSE: "close"}


class ClientSession:
    """One WebSocket from its handshake to its close, without I/O, clock or locks.

    Write what `open` returns; hand every read to `receive`, then write what `outgoing` has; report the
    end of the stream by `receive_eof`.  Close the socket when `state` is CLOSED, and after a timeout of
    your own when it stays CLOSING.

    `close_code` and `close_reason` are the server's as soon as they are received, 1006 and "" when the
    stream ended without (RFC 6455 section 7.1.5), None before.  `refusal` is an HTTP answer other than
    101, `fault` the text of an error of protocol on the server's side.  After any of them nothing more
    is delivered.  What a control frame or a faulty one says is handed out as an `Aside`, in its place
    among the messages, where a canary could be in it.  `exact` tells that the last message which
    `receive` returned ended with the last byte it was given, so that the time of that byte is the time
    of the message.
    """

    __slots__ = (
        "_at_frame",
        "_cut",
        "_handshake",
        "_is_text",
        "_max_size",
        "_needed",
        "_outgoing",
        "_partial",
        "_protocol",
        "close_code",
        "close_reason",
        "exact",
        "fault",
        "refusal",
        "state",
        "subprotocol",
    )

    def __init__(
        self,
        uri: str,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
        subprotocols: Sequence[str] = (),
        max_size: int = 2**20,
    ) -> None:
        self._handshake: Handshake | None = Handshake(uri, headers, subprotocols)
        self._max_size = max_size
        self._protocol: Protocol | None = None
        self._at_frame = False  # the next byte begins a frame that may be a whole message
        self._cut = bytearray()  # a frame cut short, and the size at which it is worth another look
        self._needed = 0
        self._partial: bytearray | None = None  # a fragmented message so far, and its kind
        self._is_text = False
        self._outgoing = b""
        self.state = State.CONNECTING
        self.exact = False
        self.subprotocol: str | None = None
        self.refusal: Refusal | None = None
        self.fault: str | None = None
        self.close_code: int | None = None
        self.close_reason: str | None = None

    def open(self) -> bytes:
        """Return the handshake request."""
        if self._handshake is None:
            raise MisuseError("the handshake is over")
        return self._handshake.request

    def receive(self, data: bytes | bytearray | memoryview) -> list[Message]:
        """Return the messages that are complete with these bytes, in order; no server makes it raise."""
        data = bytes(data)  # copies nothing where it is bytes already
        messages: list[Message] = []
        position = read_texts(data, 0, self._max_size, messages) if self._at_frame else 0
        self.exact = position == len(data)
        if not self.exact:
            self._receive_slowly(data, position, messages)
        return messages

    def receive_eof(self) -> None:
        """End the stream; what was cut short is lost."""
        if self._handshake is not None:
            self._handshake.receive_eof()
            self._end_handshake(self._handshake)
        elif self._cut:
            # No message can come of it, but its first bytes may already break the protocol.
            self._delegate(bytes(self._cut), [])
        self._end()

    def outgoing(self) -> bytes:
        """Take what must be written now: pongs and close frames, mostly nothing."""
        outgoing = self._outgoing
        if outgoing:
            self._outgoing = b""
        return outgoing

    def send_text(self, payload: bytes, mask: bytes | None = None) -> bytes:
        """Return a masked text frame; the payload is UTF-8 by the caller's word.

        The mask, where the caller has one, is 4 bytes that nobody can foretell (section 5.3).
        """
        if mask is None:
            return self._frame(TEXT, payload)
        self._require_open()
        return masked_text(payload, mask)

    def send_ping(self, payload: bytes = b"") -> bytes:
        """Return a masked ping of at most 125 bytes."""
        return self._frame(PING, payload)

    def send_pong(self, payload: bytes = b"") -> bytes:
        """Return a masked pong nobody asked for; pings are answered by `outgoing` (section 5.5.3)."""
        return self._frame(PONG, payload)

    def close(self, code: int = CloseCode.NORMAL_CLOSURE, reason: str = "") -> bytes:
        """Return a masked close frame; messages are still received until the server's own arrives."""
        self._require_open()
        protocol = self._protocol or self._make_protocol()
        try:
            protocol.send_close(code, reason)
        except ProtocolError as error:
            raise MisuseError(str(error)) from error
        self._protocol = protocol
        self.state = State.CLOSING
        return b"".join(protocol.data_to_send())

    def _frame(self, opcode: Opcode, payload: bytes) -> bytes:
        self._require_open()
        try:
            return Frame(opcode, payload).serialize(mask=True)
        except ProtocolError as error:
            raise MisuseError(str(error)) from error

    def _require_open(self) -> None:
        if self.state is not State.OPEN:
            raise MisuseError(f"the session is {self.state.name.lower()}")

    def _make_protocol(self) -> Protocol:
        return Protocol(CLIENT, state=State.OPEN, max_size=self._max_size, logger=QUIET)

    def _is_deaf(self) -> bool:
        # Sections 1.4 and 7.1.7: nothing is processed after a close frame or a failure.
        return self.close_code is not None or self.fault is not None

    def _receive_slowly(self, data: bytes, position: int, messages: list[Message]) -> None:
        """Go on where the short way ended."""
        if self._handshake is not None:
            position = self._handshake.receive(data)
            self._end_handshake(self._handshake)
        if self._cut:
            self._cut += data
            if len(self._cut) < self._needed:  # or every read would copy all that came before
                return
            data = bytes(self._cut)
            self._cut = bytearray()
        ended = 0  # where the last message did
        while position < len(data) and not self._is_deaf():
            if self._partial is None:
                position = ended = read_texts(data, position, self._max_size, messages)
                if position == len(data):
                    break
            needed = frame_need(data, position, self._max_size)
            if len(data) - position < needed:
                self._cut += data[position:]
                self._needed = needed
                break
            count = len(messages)
            self._delegate(data[position : position + needed], messages)
            position += needed
            if len(messages) > count:
                ended = position
        self._at_frame = not (self._cut or self._partial is not None or self._is_deaf())
        self.exact = ended == len(data)

    def _delegate(self, frame: bytes, messages: list[Message]) -> None:
        """Let websockets judge a rare frame."""
        protocol = self._protocol or self._make_protocol()
        protocol.receive_data(frame)
        for event in protocol.events_received():
            assert isinstance(event, Frame)
            if event.opcode in DATA_OPCODES:
                self._assemble(event, protocol, messages)
            else:
                _overhear(_CONTROL[event.opcode], event.data, messages)
        self._outgoing += b"".join(protocol.data_to_send())
        self.state = protocol.state
        if protocol.close_rcvd is not None:
            self.close_code = int(protocol.close_rcvd.code)
            self.close_reason = protocol.close_rcvd.reason
        if protocol.parser_exc is not None:
            self.fault = str(protocol.parser_exc)
            _overhear("unfinished message", self._partial or b"", messages)
            _overhear("refused frame", frame, messages)
        remembers = self._partial is not None or self.state is State.CLOSING
        if remembers and not self._is_deaf():
            self._protocol = protocol
        else:
            self._forget(protocol)

    def _assemble(self, frame: Frame, protocol: Protocol, messages: list[Message]) -> None:
        """Add a data frame to its message, which is complete with the FIN bit (section 5.4)."""
        if frame.opcode is not CONT:
            self._is_text = frame.opcode is TEXT
            self._partial = bytearray()
        assert self._partial is not None
        self._partial += frame.data
        if not frame.fin:
            return
        payload = bytes(self._partial)
        self._partial = None
        if not self._is_text:
            messages.append(Unreadable("binary", len(payload), payload))
            return
        try:
            payload.decode()
        except UnicodeDecodeError as error:
            messages.append(Unreadable("invalid UTF-8", len(payload), payload))
            self.fault = f"{error.reason} at position {error.start}"
            protocol.fail(CloseCode.INVALID_DATA, self.fault)  # section 8.1
        else:
            messages.append(payload)

    def _end_handshake(self, handshake: Handshake) -> None:
        if not handshake.finished:
            return
        self._handshake = None
        self.subprotocol = handshake.subprotocol
        self.refusal = handshake.refusal
        self.fault = handshake.fault
        if handshake.accepted:
            self.state = State.OPEN
        else:
            self._end()

    def _end(self) -> None:
        self.state = State.CLOSED
        if self.close_code is None:
            self.close_code = int(CloseCode.ABNORMAL_CLOSURE)
            self.close_reason = ""
        self._at_frame = False
        self._cut = bytearray()
        self._partial = None
        if self._protocol is not None:
            self._forget(self._protocol)

    def _forget(self, protocol: Protocol) -> None:
        # The two hold each other: a closed parser lets both go without waiting for the garbage collector.
        protocol.parser.close()
        self._protocol = None


def _overhear(where: Where, said: bytes | bytearray | memoryview, messages: list[Message]) -> None:
    """Hand out what is no message, but for what is too short to hold a canary: the pings of every day."""
    if len(said) >= SIZE:
        messages.append(Aside(where, bytes(said)))
