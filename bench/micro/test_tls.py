"""What TLS adds to a read: its channel before the session, beside the session alone (test_wire.py).

A record can be opened once, so that every round has one of its own, sealed outside of the time.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from streamgauge.wire import ClientSession, Message, TlsChannel
from streamgauge.wire.tls import Records, client_context
from tests.support.certificates import Certificates
from tests.support.tls_server import TlsServer, server_side, shake_hands

ROUNDS = 2_000
EVENT = b"x" * 250
FRAME = Frame(Opcode.TEXT, EVENT).serialize(mask=False)
counts = pytest.mark.parametrize("count", [1, 10], ids=["1 a read", "10 a read"])
Receive = Callable[[bytes], list[Message]]


@pytest.fixture
def session() -> ClientSession:
    session = ClientSession("wss://example.test/")
    server = ServerProtocol()
    server.receive_data(session.open())
    (request,) = server.events_received()
    assert isinstance(request, Request)
    server.send_response(server.accept(request))
    session.receive(b"".join(server.data_to_send()))
    return session


@pytest.fixture
def ends(tmp_path: Path) -> tuple[TlsChannel, TlsServer]:
    certificates = Certificates(tmp_path)
    channel = TlsChannel(client_context(certificates.ca.read_text()), "localhost")
    server = TlsServer(server_side(certificates.good()))
    channel.receive(shake_hands(channel, server))
    return channel, server


def rounds(benchmark: BenchmarkFixture, receive: Receive, make: Callable[[], bytes], count: int) -> None:
    """Time `receive` with what `make` gives, round by round."""
    pedantic: Any = benchmark.pedantic  # pytest-benchmark does not type it
    messages = pedantic(receive, setup=lambda: ((make(),), {}), rounds=ROUNDS, warmup_rounds=50)
    assert messages == [EVENT] * count


@counts
def test_a_plain_read(benchmark: BenchmarkFixture, session: ClientSession, count: int) -> None:
    """The same rounds as below, so that they can be compared."""
    rounds(benchmark, session.receive, lambda: FRAME * count, count)


@counts
def test_a_read_of_one_record(
    benchmark: BenchmarkFixture, session: ClientSession, ends: tuple[TlsChannel, TlsServer], count: int
) -> None:
    channel, server = ends
    rounds(
        benchmark,
        lambda data: session.receive(channel.receive(data)),
        lambda: server.record(FRAME * count),
        count,
    )
    assert channel.exact


def test_a_read_of_ten_records(
    benchmark: BenchmarkFixture, session: ClientSession, ends: tuple[TlsChannel, TlsServer]
) -> None:
    channel, server = ends
    rounds(
        benchmark,
        lambda data: session.receive(channel.receive(data)),
        lambda: b"".join(server.record(FRAME) for _ in range(10)),
        10,
    )
    assert channel.exact


def test_sealing_a_request(benchmark: BenchmarkFixture, ends: tuple[TlsChannel, TlsServer]) -> None:
    channel, _ = ends
    pedantic: Any = benchmark.pedantic
    assert len(pedantic(channel.seal, (FRAME,), rounds=ROUNDS)) > len(FRAME)


@counts
def test_counting_records(benchmark: BenchmarkFixture, count: int) -> None:
    records, data = Records(), (b"\x17\x03\x03\x01\x00" + bytes(256)) * count
    benchmark(records.feed, data)
    assert not records.open
