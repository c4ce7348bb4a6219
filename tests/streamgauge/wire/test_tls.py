import ssl
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.wire.tls import Records, TlsChannel, client_context, explain
from tests.support.certificates import Certificates, Shown
from tests.support.tls_server import TlsServer, server_side, shake_hands

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def good(certificates: Certificates) -> Shown:
    return certificates.good()


@pytest.fixture(scope="module")
def trusting(certificates: Certificates) -> ssl.SSLContext:
    return client_context(certificates.ca.read_text())


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda version: version.name)
def serving(good: Shown, request: pytest.FixtureRequest) -> ssl.SSLContext:
    context = server_side(good)
    context.maximum_version = request.param
    return context


@pytest.fixture
def ends(trusting: ssl.SSLContext, serving: ssl.SSLContext) -> tuple[TlsChannel, TlsServer]:
    """A channel and its server, which have shaken hands."""
    channel, server = opened(trusting, serving)
    return channel, server


def opened(trusting: ssl.SSLContext, serving: ssl.SSLContext) -> tuple[TlsChannel, TlsServer]:
    channel, server = TlsChannel(trusting, "127.0.0.1"), TlsServer(serving)
    channel.receive(shake_hands(channel, server))  # TLS 1.3 has tickets after its handshake
    assert channel.open
    assert channel.fault is None
    return channel, server


def pieces(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The data in reads of these sizes, and what is left in one more."""
    at = 0
    for size in sizes:
        if at < len(data):
            yield data[at : at + size]
            at += size
    if at < len(data):
        yield data[at:]


# Where records end


@given(st.lists(st.integers(0, 40), max_size=6), st.lists(st.integers(1, 30), max_size=40))
def test_records_end_where_their_headers_say(bodies: list[int], sizes: list[int]) -> None:
    stream = b"".join(b"\x17\x03\x03" + struct.pack("!H", size) + bytes(size) for size in bodies)
    begins = [0]
    for size in bodies:
        begins.append(begins[-1] + 5 + size)
    records, at = Records(), 0
    for piece in pieces(stream, sizes):
        records.feed(memoryview(piece))
        at += len(piece)
        assert records.open == at - max(begin for begin in begins if begin <= at)


# Plaintext, and whether its last byte was the last that was read


@given(
    st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=8),
    st.lists(st.integers(1, 400), max_size=30),
)
def test_any_reads_give_the_same_plaintext_and_are_exact_where_a_record_ended(
    trusting: ssl.SSLContext, serving: ssl.SSLContext, said: list[bytes], sizes: list[int]
) -> None:
    channel, server = TlsChannel(trusting, "127.0.0.1"), TlsServer(serving)
    stream = shake_hands(channel, server)  # tickets bear no plaintext: no exact read ends with them
    ends = set()
    for plaintext in said:
        stream += server.record(plaintext)
        ends.add(len(stream))
    heard, at = b"", 0
    for piece in pieces(stream, sizes):
        heard += channel.receive(memoryview(piece))
        at += len(piece)
        assert channel.exact == (at in ends)
        whole = sum(end <= at for end in ends)
        assert heard == b"".join(said[:whole]), "every record is read as soon as it is whole"
    assert channel.fault is None


def test_a_record_without_plaintext_at_the_end_of_a_read_has_its_last_byte(
    trusting: ssl.SSLContext, good: Shown
) -> None:
    channel, server = TlsChannel(trusting, "127.0.0.1"), TlsServer(server_side(good))
    tickets = shake_hands(channel, server)
    assert tickets
    message = server.record(b"message")
    assert channel.receive(tickets + message) == b"message"
    assert channel.exact
    assert channel.receive(server.record(b"more") + server.leave()) == b"more"
    assert not channel.exact


def test_several_records_in_one_read_are_one_plaintext(ends: tuple[TlsChannel, TlsServer]) -> None:
    channel, server = ends
    said = [bytes([number % 256]) * size for size in (1, 16_384) for number in range(300)]
    assert channel.receive(b"".join(map(server.record, said))) == b"".join(said)
    assert channel.exact


def test_nothing_is_to_be_said_in_return(ends: tuple[TlsChannel, TlsServer]) -> None:
    channel, server = ends
    channel.receive(server.record(b"?"))
    assert channel.outgoing() == b""


@pytest.mark.parametrize("size", [0, 1, 16_384, 16_385, 1_000_000])
def test_what_is_sealed_arrives_whole(ends: tuple[TlsChannel, TlsServer], size: int) -> None:
    channel, server = ends
    plaintext = bytes(range(256)) * (size // 256) + bytes(size % 256)
    assert server.read(channel.seal(plaintext)) == plaintext


# Its end


def test_a_server_takes_its_leave_after_its_last_words(ends: tuple[TlsChannel, TlsServer]) -> None:
    channel, server = ends
    assert channel.receive(server.record(b"last words") + server.leave()) == b"last words"
    assert channel.ended
    assert channel.fault is None
    assert channel.receive(b"anything") == b""


def test_we_take_our_leave(ends: tuple[TlsChannel, TlsServer]) -> None:
    channel, server = ends
    server._incoming.write(channel.close())
    assert server.object.read(10) == b""


def test_leave_may_be_taken_at_any_time(trusting: ssl.SSLContext) -> None:
    channel = TlsChannel(trusting, "127.0.0.1")
    assert channel.close() == b""
    channel.begin()
    assert channel.close() == b""


def test_what_was_changed_on_its_way_is_a_fault(ends: tuple[TlsChannel, TlsServer]) -> None:
    channel, server = ends
    record = bytearray(server.record(b"a message"))
    record[-1] ^= 1
    assert channel.receive(bytes(record)) == b""
    assert channel.fault is not None
    assert channel.fault.startswith("TLS failed (")
    assert channel.outgoing(), "an alert says so"
    assert (channel.seal(b"?"), channel.receive(server.record(b"more")), channel.exact) == (b"", b"", False)


@given(st.binary(max_size=300), st.booleans())
def test_no_server_makes_it_raise(
    trusting: ssl.SSLContext, serving: ssl.SSLContext, noise: bytes, early: bool
) -> None:
    channel = TlsChannel(trusting, "127.0.0.1")
    if early:
        channel.begin()
    else:
        channel, _ = opened(trusting, serving)
    for piece in pieces(noise, [7] * 20):
        assert channel.receive(piece) == b""
    channel.outgoing()
    channel.seal(b"?")
    channel.close()


# The handshake


def fault_of(context: ssl.SSLContext, shown: Shown, host: str) -> str:
    channel = TlsChannel(context, host)
    shake_hands(channel, TlsServer(server_side(shown)))
    assert not channel.open
    assert channel.fault is not None
    return channel.fault


def test_a_name_is_sent_to_the_server_and_an_address_is_not(trusting: ssl.SSLContext, good: Shown) -> None:
    asked: list[str | None] = []
    for host in ("localhost", "127.0.0.1"):
        context = server_side(good)
        context.sni_callback = lambda _, name, __: asked.append(name)
        channel = TlsChannel(trusting, host)
        shake_hands(channel, TlsServer(context))
        assert channel.open
    assert asked == ["localhost", None]


def test_another_ca_s_certificate_is_refused(certificates: Certificates, good: Shown) -> None:
    said = fault_of(client_context(certificates.another.read_text()), good, "127.0.0.1")
    assert said == (
        "certificate verify failed: unable to get local issuer certificate; "
        "name the CA that signed it by --ca-file, or ca_file in the plan"
    )


def test_a_certificate_that_signed_itself_is_refused(tmp_path: Path) -> None:
    itself = self_signed(tmp_path)
    said = fault_of(client_context(None), itself, "localhost")
    assert said.startswith("certificate verify failed: self-signed certificate; name the CA")
    channel = TlsChannel(client_context(itself.certificate.read_text()), "localhost")
    shake_hands(channel, TlsServer(server_side(itself)))
    assert channel.open, "it is its own CA, where it is named"


def self_signed(folder: Path) -> Shown:
    return Certificates(folder).itself("localhost")


def test_an_expired_certificate_is_refused(trusting: ssl.SSLContext, certificates: Certificates) -> None:
    said = fault_of(trusting, certificates.expired(), "127.0.0.1")
    assert said == "certificate verify failed: certificate has expired; the server needs a new one"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_another_s_certificate_is_refused(
    trusting: ssl.SSLContext, certificates: Certificates, host: str
) -> None:
    said = fault_of(trusting, certificates.good("other.example.test"), host)
    assert "mismatch, certificate is not valid for" in said
    assert said.endswith("; name the target as its certificate does")


def test_a_server_without_tls_is_none(trusting: ssl.SSLContext) -> None:
    channel = TlsChannel(trusting, "localhost")
    channel.begin()
    channel.receive(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    assert channel.fault == "it does not speak TLS there; is the target ws:// and not wss://?"


def test_a_server_that_breaks_off_is_quoted(trusting: ssl.SSLContext) -> None:
    channel = TlsChannel(trusting, "localhost")
    channel.begin()
    channel.receive(b"\x15\x03\x03\x00\x02\x02\x28")  # a fatal alert: handshake failure
    assert channel.fault is not None
    assert "handshake failure" in channel.fault
    assert channel.fault.endswith("; its log says why")


def test_what_openssl_does_not_name_is_quoted() -> None:
    assert explain(ssl.SSLError(1, "something else")).startswith("TLS failed (")


def test_an_empty_ca_file_does_not_mean_the_system_s() -> None:
    for pem in ("", "no certificate"):
        with pytest.raises(ValueError, match="certificate"):
            client_context(pem)


def test_nobody_renegotiates(trusting: ssl.SSLContext) -> None:
    assert trusting.options & ssl.OP_NO_RENEGOTIATION
    assert trusting.verify_mode is ssl.CERT_REQUIRED
    assert trusting.check_hostname
