import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from streamgauge.rig.connect import connect, speaks_tls
from streamgauge.wire import TlsError
from tests.support.certificates import Certificates, Shown
from tests.support.tls_server import server_side

TIMEOUT_S = 5


@contextmanager
def serving(behaviour: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server of one client; its address without the scheme."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            client, _ = listener.accept()
            with client, suppress(OSError):  # a client may refuse us
                behaviour(client)

        thread = threading.Thread(target=run)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}/"
        thread.join(TIMEOUT_S)


def over_tls(shown: Shown) -> Callable[[socket.socket], None]:
    """Repeats what it hears, over TLS."""

    def behaviour(client: socket.socket) -> None:
        with server_side(shown).wrap_socket(client, server_side=True) as sealed:
            sealed.sendall(sealed.recv(100))

    return behaviour


def hangs_up(client: socket.socket) -> None:
    client.recv(65_536)


def answers_http(client: socket.socket) -> None:
    client.recv(65_536)
    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_what_is_said_over_tls_is_heard(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    with (
        serving(over_tls(certificates.good())) as address,
        connect(f"wss://{address}", str(certificates.ca), TIMEOUT_S) as sock,
    ):
        sock.sendall(b"hello")
        assert sock.recv(100) == b"hello"


@pytest.mark.parametrize("behaviour", [hangs_up, answers_http])
def test_a_server_without_tls_is_told_apart(
    tmp_path: Path, behaviour: Callable[[socket.socket], None]
) -> None:
    certificates = Certificates(tmp_path)
    with (
        serving(behaviour) as address,
        pytest.raises(TlsError, match="is the target ws:// and not wss://"),
    ):
        connect(f"wss://{address}", str(certificates.ca), TIMEOUT_S)
    with serving(behaviour) as address:
        assert not speaks_tls(f"ws://{address}", TIMEOUT_S)


def test_a_server_with_tls_is_known_whatever_it_shows(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    for shown in (certificates.good(), certificates.expired()):
        with serving(over_tls(shown)) as address:
            assert speaks_tls(f"ws://{address}", TIMEOUT_S)


def test_where_nobody_is_nobody_speaks_tls() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        target = f"ws://127.0.0.1:{sock.getsockname()[1]}/"
        assert not speaks_tls(target, TIMEOUT_S)
        with pytest.raises(ConnectionRefusedError):
            connect(target, "", TIMEOUT_S)
