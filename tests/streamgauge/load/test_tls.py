"""A connection over TLS is what it is without: the same server, the same rows, the same stamps."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from websockets.frames import Frame, Opcode
from websockets.http11 import Request as HttpRequest
from websockets.server import ServerProtocol

from streamgauge.core.event import Kind
from streamgauge.core.observation import Asked, Closed, Observation, Opened, Received
from tests.support.apart import INSIDE
from tests.support.certificates import Certificates
from tests.support.connected import connected, kinds, request
from tests.support.peer import Peer
from tests.support.tls_server import TlsServer, server_side

if TYPE_CHECKING or INSIDE:
    from gevent import sleep

    from streamgauge.load.bench import Bench
    from streamgauge.load.refusal import NotConnected
    from streamgauge.load.server_metrics import fetch
    from streamgauge.plan import PlanError
    from streamgauge.trust import trust

HEARTBEAT = Frame(Opcode.TEXT, b'{"type":"heartbeat","payload":{}}').serialize(mask=False)
GREETING = Frame(
    Opcode.TEXT, b'{"type":"connection_established","payload":{"user_id":"ann","clock_id":"c"}}'
).serialize(mask=False)
Make = Callable[..., "Bench"]
MakeOverTls = Callable[..., "Bench"]
Recorded = Callable[["Bench"], list[Observation]]


@pytest.fixture
def make_over_tls(make_bench: Make, tls_peer: Peer, certificates: Certificates) -> MakeOverTls:
    """What measures a server of that behaviour over TLS."""

    def make(behaviour: str = "answers", **settings: object) -> "Bench":
        return make_bench(
            **{"target": tls_peer.address(behaviour), "ca_file": str(certificates.ca), **settings}
        )

    return make


def test_the_rows_are_the_same(make_over_tls: MakeOverTls, recorded: Recorded) -> None:
    bench = make_over_tls("answers")
    connection = connected(bench)
    run = connection.ask(request(), time.monotonic_ns())
    assert run is not None
    assert run.over.wait(5)
    connection.close()
    rows = recorded(bench)
    assert [type(row) for row in rows] == [Opened, Received, Asked, *[Received] * 3, Closed]
    assert kinds(rows) == [Kind.GREETING, Kind.ACCEPTED, Kind.STARTED, Kind.COMPLETED]
    assert rows[-1] == Closed(1, rows[-1].at_ns, 1000, ours=True)


def test_stamps_are_exact_where_one_message_is_read(make_over_tls: MakeOverTls, recorded: Recorded) -> None:
    bench = make_over_tls("answers")
    connection = connected(bench)
    for number in range(20):
        connection.ask(request(f"q{number}"), time.monotonic_ns())
        sleep(0.01)
    rows = [row for row in recorded(bench) if isinstance(row, Received) and row.exact]
    assert len(rows) > 10
    assert all(row.at_ns - 1_000_000_000 < row.kernel_ns <= row.at_ns + 100_000 for row in rows)


def test_what_the_socket_does_not_take_is_written_later(make_over_tls: MakeOverTls, tls_peer: Peer) -> None:
    """And in order, in records that are whole."""
    bench = make_over_tls("reads_late")
    connection = connected(bench)
    sleep(0.05)
    for name in ("q1", "q2"):
        connection.ask(request(name, "x" * 9_000_000), time.monotonic_ns())
    assert connection._transport is not None
    assert connection._transport.unsent > 0
    assert [tls_peer.heard() for _ in range(2)] == [["q1", 9_000_000], ["q2", 9_000_000]]


@pytest.mark.parametrize(("behaviour", "code"), [("leaves", 1001), ("hangs_up", 1006)])
def test_a_server_that_leaves_is_recorded(
    make_over_tls: MakeOverTls, recorded: Recorded, behaviour: str, code: int
) -> None:
    bench = make_over_tls(behaviour)
    connected(bench)
    sleep(0.2)
    assert not bench.connections
    rows = recorded(bench)
    assert rows[-1] == Closed(1, rows[-1].at_ns, code, ours=False)


def test_a_refusal_says_why(make_over_tls: MakeOverTls) -> None:
    with pytest.raises(NotConnected, match="HTTP 401 Unauthorized"):
        connected(make_over_tls("unknown"))


def test_who_is_not_trusted_is_not_spoken_to(make_over_tls: MakeOverTls, certificates: Certificates) -> None:
    bench = make_over_tls(ca_file=str(certificates.another))
    with pytest.raises(NotConnected, match=r"certificate verify failed: .*--ca-file"):
        connected(bench)
    assert not bench.connections


def test_a_server_without_tls_is_none(make_bench: Make, peer: Peer, certificates: Certificates) -> None:
    target = peer.address("answers").replace("ws://", "wss://")
    with pytest.raises(NotConnected, match="is the target ws:// and not wss://"):
        connected(make_bench(target=target, ca_file=str(certificates.ca)))


def test_a_server_that_is_silent_is_not_waited_for(make_bench: Make, certificates: Certificates) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = f"wss://127.0.0.1:{silent.getsockname()[1]}/"
        bench = make_bench(target=target, ca_file=str(certificates.ca), connect_timeout=0.2)
        with pytest.raises(NotConnected, match="timed out"):
            connected(bench)


def test_a_ca_file_that_is_none_is_no_plan(make_over_tls: MakeOverTls, certificates: Certificates) -> None:
    with pytest.raises(PlanError, match=r"^ca_file: .*nothing cannot be read \(No such file"):
        make_over_tls(ca_file="/nothing")
    key = certificates.good().key
    with pytest.raises(PlanError, match=r"^ca_file: .* holds no certificate in PEM form$"):
        make_over_tls(ca_file=str(key))


def test_metrics_are_asked_for_over_tls(tls_peer: Peer, certificates: Certificates) -> None:
    target = tls_peer.address("answers")
    assert fetch(target, trust(target, str(certificates.ca))) == b"these are { no metrics"
    assert fetch(target, trust(target, str(certificates.another))) is None


# Reads that end where no record does


class Sealed:
    """One client's connection, whose server decides which bytes go out when."""

    def __init__(self, client: socket.socket, context: ssl.SSLContext) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client
        self.tls = TlsServer(context)
        while not self.tls.object.version():
            heard = client.recv(65_536)
            assert heard, "the client left"
            client.sendall(self.tls.answer(heard))
        websocket, heard = ServerProtocol(), b""
        while not (events := websocket.events_received()):
            websocket.receive_data(self.tls.read(heard))
            heard = client.recv(65_536) if not websocket.events else b""
        assert isinstance(events[0], HttpRequest)
        websocket.send_response(websocket.accept(events[0]))
        self.say(self.tls.record(b"".join(websocket.data_to_send()) + GREETING))

    def say(self, ciphertext: bytes) -> None:
        """In one piece, that the client reads before the next."""
        time.sleep(0.05)
        self._client.sendall(ciphertext)
        time.sleep(0.05)


@contextmanager
def sealed_server(
    certificates: Certificates, talk: Callable[[Sealed], None], thinks_s: float = 0
) -> Iterator[str]:
    """A server of one client, whose handshake it thinks over for so long; its address."""
    context = server_side(certificates.good())
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            client, _ = listener.accept()
            with client:
                time.sleep(thinks_s)
                talk(Sealed(client, context))

        thread = Thread(target=run)
        thread.start()
        yield f"wss://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join()


def test_a_stamp_is_an_upper_bound_where_the_read_ended_in_another_record(
    make_bench: Make, recorded: Recorded, certificates: Certificates
) -> None:
    def talk(client: Sealed) -> None:
        first, second = client.tls.record(HEARTBEAT), client.tls.record(HEARTBEAT)
        client.say(first + second[:10])
        client.say(second[10:])
        third, leave = client.tls.record(HEARTBEAT), client.tls.leave()
        client.say(third + leave)

    with sealed_server(certificates, talk) as target:
        bench = make_bench(target=target, ca_file=str(certificates.ca))
        connected(bench)
        sleep(0.5)
        rows = recorded(bench)
    beats = [row for row in rows if isinstance(row, Received) and row.event.kind == Kind.HEARTBEAT]
    assert [row.exact for row in beats] == [False, True, False]
    assert all(0 < row.kernel_ns <= row.at_ns + 100_000 for row in beats)
    assert rows[-1] == Closed(1, rows[-1].at_ns, 1006, ours=False)


def test_what_was_changed_on_its_way_ends_the_connection(
    make_bench: Make, recorded: Recorded, certificates: Certificates
) -> None:
    def talk(client: Sealed) -> None:
        record = client.tls.record(HEARTBEAT)
        client.say(record[:-1] + bytes([record[-1] ^ 1]))

    with sealed_server(certificates, talk) as target:
        bench = make_bench(target=target, ca_file=str(certificates.ca))
        connected(bench)
        sleep(0.3)
        assert not bench.connections
        rows = recorded(bench)
    assert kinds(rows) == [Kind.GREETING]
    assert rows[-1] == Closed(1, rows[-1].at_ns, 1006, ours=False)


def test_a_server_that_hangs_up_in_the_handshake_says_nothing(
    make_bench: Make, certificates: Certificates
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            client, _ = listener.accept()
            client.recv(65_536)
            client.close()

        thread = Thread(target=run)
        thread.start()
        target = f"wss://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(NotConnected, match="hung up in the TLS handshake"):
            connected(make_bench(target=target, ca_file=str(certificates.ca)))
        thread.join()


def test_the_handshake_is_part_of_connecting(
    make_bench: Make, recorded: Recorded, certificates: Certificates
) -> None:
    with sealed_server(certificates, lambda _: None, thinks_s=0.2) as target:
        bench = make_bench(target=target, ca_file=str(certificates.ca))
        connected(bench)
        opened = recorded(bench)[0]
    assert isinstance(opened, Opened)
    assert opened.at_ns - opened.began_ns > 200_000_000
