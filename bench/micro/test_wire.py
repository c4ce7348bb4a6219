"""What a frame costs on its way from a read to a message; the times are shown, none is judged."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from streamgauge.wire import ClientSession, Message, frames
from streamgauge.wire.clock import SO_TIMESTAMPNS, SOL_SOCKET, receive_stamp
from tests.support.compiled import compiled

pytestmark = pytest.mark.benchmark(max_time=0.2)

PAYLOADS = {
    "50 B": b"x" * 50,
    "220 B": b"x" * 220,
    "220 B not ASCII": "ä".encode() * 110,
    "4 kB": b"x" * 4096,
}
payloads = pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
counts = pytest.mark.parametrize("count", [1, 10], ids=["1 a read", "10 a read"])


def text(payload: bytes) -> bytes:
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


@pytest.fixture
def session() -> ClientSession:
    session = ClientSession("ws://example.test/")
    server = ServerProtocol()
    server.receive_data(session.open())
    (request,) = server.events_received()
    assert isinstance(request, Request)
    server.send_response(server.accept(request))
    session.receive(b"".join(server.data_to_send()))
    return session


@payloads
@counts
@pytest.mark.parametrize("reader", ["compiled", "pure"])
def test_reader(benchmark: BenchmarkFixture, payload: bytes, count: int, reader: str) -> None:
    data = text(payload) * count
    texts = frames.read_texts if reader == "pure" else compiled("streamgauge.wire._frames").read_texts

    def read() -> list[Message]:
        messages: list[Message] = []
        texts(data, 0, 2**20, messages)
        return messages

    assert benchmark(read) == [payload] * count


@payloads
@counts
def test_session(benchmark: BenchmarkFixture, session: ClientSession, payload: bytes, count: int) -> None:
    data = text(payload) * count
    assert benchmark(session.receive, data) == [payload] * count


def test_session_reading_from_a_scratch_buffer(benchmark: BenchmarkFixture, session: ClientSession) -> None:
    payload = PAYLOADS["220 B"]
    data = memoryview(text(payload))
    assert benchmark(session.receive, data) == [payload]


def test_session_with_a_frame_split_in_two_reads(benchmark: BenchmarkFixture, session: ClientSession) -> None:
    payload = PAYLOADS["220 B"]
    frame = text(payload)

    def receive() -> list[Message]:
        return session.receive(frame[:100]) + session.receive(frame[100:])

    assert benchmark(receive) == [payload]


def test_session_answering_a_ping(benchmark: BenchmarkFixture, session: ClientSession) -> None:
    ping = Frame(Opcode.PING, b"1234").serialize(mask=False)

    def answer() -> bytes:
        session.receive(ping)
        return session.outgoing()

    assert len(benchmark(answer)) == 2 + 4 + 4


def test_session_with_nothing_to_write(benchmark: BenchmarkFixture, session: ClientSession) -> None:
    assert benchmark(session.outgoing) == b""


def test_session_sending_a_text(benchmark: BenchmarkFixture, session: ClientSession) -> None:
    assert len(benchmark(session.send_text, PAYLOADS["50 B"])) == 2 + 4 + 50


def test_receive_stamp(benchmark: BenchmarkFixture) -> None:
    ancillary = [(SOL_SOCKET, SO_TIMESTAMPNS, bytes(16))]
    assert benchmark(receive_stamp, ancillary) == 0
