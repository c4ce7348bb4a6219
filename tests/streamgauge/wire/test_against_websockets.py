"""Whatever a server sends and however it is cut, a session does what websockets does."""

import asyncio
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve
from websockets.client import ClientProtocol
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from streamgauge.wire import Aside, ClientSession, Message, Unreadable
from streamgauge.wire.message import Where

Opened = Callable[..., ClientSession]
Unmask = Callable[[bytes], list[tuple[Opcode, bytes]]]

MAX_SIZE = 66_000
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN = 0x80
REFUSED: Final = {"unfinished message", "refused frame"}  # which websockets does not hand out
NAMES: Final[dict[int, Where]] = {CLOSE: "close", PING: "ping", PONG: "pong"}


@dataclass
class Outcome:
    messages: list[Message]
    sent: list[tuple[Opcode, bytes]]
    state: State
    fault: str | None
    close_code: int | None
    close_reason: str | None


class Oracle:
    """websockets' own protocol with what its shells add: whole messages, and 1007 for no UTF-8.

    It wants single frames or bytes: the shells fail on a text only after all that was read with it.
    """

    def __init__(self) -> None:
        self.protocol = ClientProtocol(parse_uri("ws://h/"), state=State.OPEN, max_size=MAX_SIZE)
        self.messages: list[Message] = []
        self.parts: list[Frame] = []
        self.fault: str | None = None

    def receive(self, data: bytes) -> None:
        self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            assert isinstance(event, Frame)
            if event.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
                self.parts.append(event)
                if event.fin:
                    self.complete()
            elif len(event.data) >= 28:  # a prefix of 8 bytes and 20 letters or digits
                self.messages.append(Aside(NAMES[event.opcode], bytes(event.data)))

    def complete(self) -> None:
        payload = b"".join(part.data for part in self.parts)
        is_text = self.parts[0].opcode is Opcode.TEXT
        self.parts = []
        if not is_text:
            self.messages.append(Unreadable("binary", len(payload), payload))
            return
        try:
            payload.decode()
        except UnicodeDecodeError as error:
            self.messages.append(Unreadable("invalid UTF-8", len(payload), payload))
            self.fault = f"{error.reason} at position {error.start}"
            self.protocol.fail(CloseCode.INVALID_DATA, self.fault)
        else:
            self.messages.append(payload)

    def outcome(self, unmask: Unmask) -> Outcome:
        error = self.protocol.parser_exc
        if error is not None and not isinstance(error, EOFError):
            self.fault = str(error)
        close = self.protocol.close_rcvd
        code = self.protocol.close_code if close is None else close.code
        reason = self.protocol.close_reason if close is None else close.reason
        sent = unmask(b"".join(self.protocol.writes))
        return Outcome(self.messages, sent, self.protocol.state, self.fault, code, reason)


class Subject:
    """The session, given any chunks."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session
        self.messages: list[Message] = []
        self.sent = b""

    def receive(self, data: bytes) -> None:
        self.messages += self.session.receive(data)
        self.sent += self.session.outgoing()

    def receive_eof(self) -> None:
        self.session.receive_eof()
        self.sent += self.session.outgoing()

    def outcome(self, unmask: Unmask) -> Outcome:
        session = self.session
        told = [m for m in self.messages if not (isinstance(m, Aside) and m.where in REFUSED)]
        return Outcome(
            told,
            unmask(self.sent),
            session.state,
            session.fault,
            session.close_code,
            session.close_reason,
        )


def encode(first: int, payload: bytes, *, masked: bool = False, form: int = 0) -> bytes:
    """Any frame, right or wrong; `form` 126 or 127 writes the length longer than need be."""
    size = len(payload)
    if form == 0:
        form = size if size < 126 else 126 if size < 65536 else 127
    length = {126: 2, 127: 8}.get(form, 0)
    mask = b"\x00" * 4 if masked else b""
    return bytes([first, form | (0x80 if masked else 0)]) + size.to_bytes(8)[8 - length :] + mask + payload


sizes = st.sampled_from([0, 1, 124, 125, 126, 127, 300, 65535, 65536, MAX_SIZE])
texts = st.one_of(
    st.text(max_size=60).map(str.encode),
    sizes.map(lambda size: b"x" * size),
    st.text(alphabet="é€𝄞", min_size=40, max_size=90).map(str.encode),
)
controls = st.builds(encode, st.sampled_from([FIN | PING, FIN | PONG]), st.binary(max_size=125))


@st.composite
def fragmented(draw: st.DrawFn) -> list[bytes]:
    """A message in pieces, cut anywhere in its characters, with control frames between."""
    payload = draw(st.one_of(texts, st.binary(max_size=20)))
    cuts = sorted(draw(st.lists(st.integers(0, len(payload)), min_size=1, max_size=4)))
    bounds = [0, *cuts, len(payload)]
    opcode = draw(st.sampled_from([TEXT, TEXT, BINARY]))
    frames = []
    for number, (start, end) in enumerate(pairwise(bounds)):
        if number > 0:
            frames += draw(st.lists(controls, max_size=2))
        fin = FIN if number == len(cuts) else 0
        frames.append(encode(fin | (opcode if number == 0 else CONT), payload[start:end]))
    return frames


ordinary = st.one_of(
    st.lists(texts.map(lambda payload: encode(FIN | TEXT, payload)), min_size=1, max_size=4),
    fragmented(),
    controls.map(lambda frame: [frame]),
    st.binary(max_size=200).map(lambda payload: [encode(FIN | BINARY, payload)]),
    st.sampled_from([126, 127]).map(lambda form: [encode(FIN | TEXT, b"not minimal", form=form)]),
)

OPENING = encode(TEXT, b"opening")
ENDINGS = {
    "close": [encode(FIN | CLOSE, b"\x03\xe8")],
    "close with a reason": [encode(FIN | CLOSE, b"\x0f\xa1" + "müde".encode())],
    "close with a long reason": [encode(FIN | CLOSE, b"\x0f\xa1" + "müde".encode() * 20)],
    "close without a code": [encode(FIN | CLOSE, b"")],
    "close of one byte": [encode(FIN | CLOSE, b"\x03")],
    "close with a code nobody may send": [encode(FIN | CLOSE, b"\x03\xed")],
    "close with a reason that is not UTF-8": [encode(FIN | CLOSE, b"\x03\xe8\xff")],
    "close inside a fragmented message": [OPENING, encode(FIN | CLOSE, b"\x03\xe8")],
    "masked text": [encode(FIN | TEXT, b"masked", masked=True)],
    "masked text of 16 bits": [encode(FIN | TEXT, b"m" * 126, masked=True)],
    "masked text of 64 bits": [encode(FIN | TEXT, b"m" * 65536, masked=True)],
    "masked ping": [encode(FIN | PING, b"masked", masked=True)],
    "reserved bit 1": [encode(FIN | 0x40 | TEXT, b"reserved")],
    "reserved bit 2": [encode(FIN | 0x20 | TEXT, b"reserved")],
    "reserved bit 3": [encode(FIN | 0x10 | PING, b"reserved")],
    "unknown data opcode": [encode(FIN | 3, b"what")],
    "unknown control opcode": [encode(FIN | 11, b"what")],
    "long ping": [encode(FIN | PING, b"p" * 126)],
    "fragmented ping": [encode(PING, b"p")],
    "continuation of nothing": [encode(FIN | CONT, b"lost")],
    "first piece of nothing": [encode(CONT, b"lost")],
    "text inside a fragmented message": [OPENING, encode(FIN | TEXT, b"inside")],
    "binary inside a fragmented message": [OPENING, encode(BINARY, b"inside")],
    "text that is not UTF-8": [encode(FIN | TEXT, b"bad \xc3\x28")],
    "text that ends in mid-character": [encode(FIN | TEXT, "€".encode()[:2])],
    "surrogate": [encode(FIN | TEXT, b"\xed\xa0\x80")],
    "pieces that are not UTF-8": [OPENING, encode(CONT, b"\xe2\x82"), encode(FIN | CONT, b"\x28")],
    "too large": [encode(FIN | TEXT, b"x" * (MAX_SIZE + 1))],
    "too large and binary": [encode(FIN | BINARY, b"x" * (MAX_SIZE + 1))],
    "too large together": [OPENING, encode(FIN | CONT, b"x" * (MAX_SIZE - 6))],
    "too large for any machine": [b"\x81\x7f" + b"\xff" * 8],
}


@st.composite
def cut_anywhere(draw: st.DrawFn, frames: list[bytes]) -> list[int]:
    """Where reads end: anywhere, but mostly in and about the headers."""
    starts = list(accumulate(map(len, frames), initial=0))
    if starts[-1] < 400 and draw(st.booleans()):
        return list(range(starts[-1]))
    near = st.builds(int.__add__, st.sampled_from(starts), st.integers(-3, 11))
    return sorted(draw(st.lists(st.one_of(near, st.integers(0, starts[-1])), max_size=12)))


def pieces(stream: bytes, cuts: Iterable[int]) -> list[bytes]:
    inside = {cut for cut in cuts if 0 < cut < len(stream)}
    return [stream[start:end] for start, end in pairwise(sorted({0, *inside, len(stream)}))]


def check_same(
    session: ClientSession, unmask: Unmask, frames: list[bytes], cuts: list[int], close: int | None
) -> None:
    """Compare before and after the end of a stream of `frames`; we close before the frame `close`."""
    oracle, subject = Oracle(), Subject(session)
    before, after = (frames, []) if close is None else (frames[:close], frames[close:])
    middle = len(b"".join(before))
    for frame in before:
        oracle.receive(frame)
    for piece in pieces(b"".join(before), cuts):
        subject.receive(piece)
    if close is not None and oracle.protocol.state is State.OPEN:
        oracle.protocol.send_close(1000)
        subject.sent += session.close(1000)
    for frame in after:
        oracle.receive(frame)
    for piece in pieces(b"".join(after), [cut - middle for cut in cuts]):
        subject.receive(piece)
    assert subject.outcome(unmask) == oracle.outcome(unmask)
    oracle.protocol.receive_eof()
    subject.receive_eof()
    assert subject.outcome(unmask) == oracle.outcome(unmask)


@settings(deadline=None, max_examples=300)
@given(st.lists(ordinary, max_size=6), st.data())
def test_a_lawful_stream(
    opened: Opened, unmask: Unmask, steps: list[list[bytes]], data: st.DataObject
) -> None:
    frames = [frame for step in steps for frame in step]
    cuts = data.draw(cut_anywhere(frames))
    close = data.draw(st.none() | st.integers(0, len(frames)))
    check_same(opened(max_size=MAX_SIZE), unmask, frames, cuts, close)


@pytest.mark.parametrize("name", ENDINGS)
@settings(deadline=None, max_examples=15)
@given(before=st.lists(ordinary, max_size=2), after=ordinary, data=st.data())
def test_a_stream_that_ends_by_a_close_or_a_fault(
    opened: Opened,
    unmask: Unmask,
    name: str,
    before: list[list[bytes]],
    after: list[bytes],
    data: st.DataObject,
) -> None:
    frames = [frame for step in [*before, ENDINGS[name], after] for frame in step]
    cuts = data.draw(cut_anywhere(frames))
    close = data.draw(st.none() | st.integers(0, len(frames)))
    check_same(opened(max_size=MAX_SIZE), unmask, frames, cuts, close)


small = [frames for frames in ENDINGS.values() if len(b"".join(frames)) < 200]


@settings(deadline=None, max_examples=300)
@given(
    steps=st.lists(st.one_of(ordinary, st.sampled_from(small)), min_size=1, max_size=4),
    changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=3),
    data=st.data(),
)
def test_any_bytes_at_all(
    opened: Opened,
    unmask: Unmask,
    steps: list[list[bytes]],
    changes: list[tuple[int, int]],
    data: st.DataObject,
) -> None:
    stream = bytearray(b"".join(frame for step in steps for frame in step)[:1000])
    for position, value in changes:
        stream[position % len(stream)] = value
    del stream[data.draw(st.integers(0, len(stream))) :]
    oracle, subject = Oracle(), Subject(opened(max_size=MAX_SIZE))
    for piece in pieces(bytes(stream), range(len(stream))):
        oracle.receive(piece)
    for piece in pieces(bytes(stream), data.draw(cut_anywhere([bytes(stream)]))):
        subject.receive(piece)
    oracle.protocol.receive_eof()
    subject.receive_eof()
    assert subject.outcome(unmask) == oracle.outcome(unmask)


async def serve_everything(connection: ServerConnection) -> None:
    """Send what a server can send in earnest, then close."""
    await connection.send("short")
    await connection.send(["in ", "three ", "pieces"])
    await connection.send("größer" * 10_000)
    await connection.send(b"\0\1\2")
    await (await connection.ping(b"alive?"))
    question = await connection.recv(decode=True)
    await connection.send(f"you said {question}")
    await connection.close(4001, "that is all")


def run_client(port: int) -> Subject:
    subject = Subject(ClientSession(f"ws://127.0.0.1:{port}/"))
    session = subject.session
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(session.open())
        while session.state is State.CONNECTING:
            subject.messages += session.receive(connection.recv(4096))
        connection.sendall(session.send_text("grüß dich".encode()))
        while data := connection.recv(4096):
            subject.messages += session.receive(data)
            connection.sendall(session.outgoing())
        session.receive_eof()
    return subject


def test_a_conversation_with_a_live_server() -> None:
    async def converse() -> Subject:
        async with serve(serve_everything, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await asyncio.to_thread(run_client, port)

    subject = asyncio.run(converse())
    assert subject.messages == [
        b"short",
        b"in three pieces",
        ("größer" * 10_000).encode(),
        Unreadable("binary", 3, b"\0\1\2"),
        "you said grüß dich".encode(),
    ]
    assert (subject.session.close_code, subject.session.close_reason) == (4001, "that is all")
    assert subject.session.fault is None
