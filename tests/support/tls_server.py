"""The server's end of TLS without a socket, which knows where each of its records ends."""

import ssl
from contextlib import suppress

from streamgauge.wire.tls import TlsChannel
from tests.support.certificates import Shown


def server_side(shown: Shown) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.certificate, shown.key)
    return context


class TlsServer:
    """Answers a channel from memory."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def answer(self, data: bytes) -> bytes:
        """The next words of the handshake."""
        self._incoming.write(data)
        try:
            self.object.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            return self._outgoing.read()  # an alert
        return self._outgoing.read()

    def record(self, plaintext: bytes) -> bytes:
        """One record that bears it."""
        assert self.object.write(plaintext) == len(plaintext)
        return self._outgoing.read()

    def read(self, data: bytes) -> bytes:
        """The plaintext of all that."""
        self._incoming.write(data)
        plaintext = b""
        while True:
            try:
                plaintext += self.object.read(16_384)
            except ssl.SSLWantReadError:
                return plaintext

    def leave(self) -> bytes:
        """Its close_notify."""
        with suppress(ssl.SSLWantReadError):
            self.object.unwrap()
        return self._outgoing.read()


def shake_hands(channel: TlsChannel, server: TlsServer) -> bytes:
    """Until the channel is open, or broken; gives what the server has said and the channel has not heard."""
    said = server.answer(channel.begin())
    while said and not channel.open and channel.fault is None:
        channel.receive(said)
        said = server.answer(channel.outgoing())
    return said
