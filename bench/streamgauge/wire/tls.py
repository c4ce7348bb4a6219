"""The client end of one TLS connection: ciphertext in, plaintext out, and now and then bytes to be written.

OpenSSL does the cryptography, by way of two memory buffers; who owns the socket reads
and writes it as without TLS. A kernel's receive stamp belongs to the last byte of a
read, and that is a byte of a TLS record (RFC 8446 section 5.1):

     0               1 .. 2          3 .. 4          5 ..
    +---------------+---------------+---------------+------------------------+
    | content type  | version       | length        | `length` bytes, sealed |
    +---------------+---------------+---------------+------------------------+

So a plaintext's last byte arrived at the stamp only where the read ended a record, and
that record bore it: a session ticket or a record cut short has bytes of its own.
"""

import contextlib
import ssl
from typing import Final

_HEADER: Final = 5
_MOST_PLAINTEXT: Final = 16_384  # bytes in one record (RFC 8446 section 5.1)
_UNTRUSTED: Final = frozenset({2, 18, 19, 20, 21})  # OpenSSL's X509_V_ERR_*: no way to a CA we know
_MISNAMED: Final = frozenset({62, 64})
_EXPIRED: Final = 10
_NO_TLS: Final = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL", "BAD_RECORD_TYPE"}
)

HUNG_UP: Final = "it hung up in the TLS handshake; is the target ws:// and not wss://?"


class TlsError(ConnectionError):
    """TLS could not be agreed on; the text says why and what to do."""


def client_context(ca_pem: str | None) -> ssl.SSLContext:
    """A context that verifies certificates and names: by `ca_pem` alone, or by the system's CAs for None.

    Raises `ValueError` where `ca_pem` holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_pem is None:
        context.load_default_certs()
    else:
        try:
            context.load_verify_locations(cadata=ca_pem)
        except ssl.SSLError as error:
            raise ValueError("no certificate in PEM form") from error
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])  # a WebSocket begins as that
    return context


def explain(error: ssl.SSLError) -> str:
    """What went wrong between two ends of TLS, and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message.rstrip('.')}; {_advice(error.verify_code)}"
    reason = getattr(error, "reason", None) or ""  # not of every kind
    if reason in _NO_TLS:
        return "it does not speak TLS there; is the target ws:// and not wss://?"
    said = reason.replace("_", " ").lower() or str(error)
    if "ALERT" in reason:
        return f"the server broke off TLS ({said}); its log says why"
    return f"TLS failed ({said})"


def _advice(code: int) -> str:
    if code in _UNTRUSTED:
        return "name the CA that signed it by --ca-file, or ca_file in the plan"
    if code in _MISNAMED:
        return "name the target as its certificate does"
    if code == _EXPIRED:
        return "the server needs a new one"
    return "the server needs another one"


class Records:
    """Counts where records end in a stream of ciphertext, by their headers alone.

    `open` is how many bytes have come of a record that has not ended: 0 where the last byte ended one.
    """

    __slots__ = ("_head", "_next", "open")

    def __init__(self) -> None:
        self._head = b""  # a header cut short
        self._next = 0  # bytes until the next header
        self.open = 0

    def feed(self, data: bytes | memoryview) -> None:
        """Take the next bytes of the stream."""
        came = len(data)
        if self._head:
            data = self._head + bytes(data)
            self._head = b""
        size = len(data)
        began, at = -1, self._next
        while at + _HEADER <= size:
            began = at
            at += _HEADER + (data[at + 3] << 8 | data[at + 4])
        if at < size:
            self._head = bytes(data[at:])
            self._next, self.open = 0, size - at
        else:
            self._next = at - size
            if at == size:
                self.open = 0
            else:
                self.open = size - began if began >= 0 else self.open + came


class TlsChannel:
    """One TLS connection from its handshake to its end, without I/O; no server makes it raise.

    Write what `begin` returns; hand every read to `receive`, then write what `outgoing` has. Once it is
    `open`, what `seal` makes of a plaintext can be written. `fault` says why nothing more can come, and
    `ended` that the server took its leave (close_notify). `exact` tells that the last byte that `receive`
    returned came with the last byte it was given.
    """

    __slots__ = ("_incoming", "_object", "_outgoing", "_records", "ended", "exact", "fault", "open")

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        """Towards `host`, whose certificate must bear that name; an IP address is not sent as SNI."""
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._records = Records()
        self.open = False
        self.exact = False
        self.ended = False
        self.fault: str | None = None

    def begin(self) -> bytes:
        """Return the first bytes of the handshake."""
        self._shake()
        return self._outgoing.read()

    def receive(self, data: bytes | memoryview) -> bytes:
        """Return the plaintext of the records that are complete with these bytes."""
        self.exact = False
        if self.fault is not None or self.ended:
            return b""
        self._incoming.write(data)
        records = self._records
        records.feed(data)
        if not self.open and not self._shake():
            return b""
        plaintext, more = b"", []
        try:
            while self._incoming.pending > records.open:  # there is a whole record: no need to try in vain
                self.exact = False
                piece = self._object.read(_MOST_PLAINTEXT)
                if not piece:
                    self.ended = True
                    break
                if plaintext:
                    more.append(piece)
                else:
                    plaintext = piece  # mostly the only one
                self.exact = True
        except ssl.SSLWantReadError:  # a record that bears no plaintext
            pass
        except ssl.SSLZeroReturnError:  # its leave, after ours
            self.ended = True
        except ssl.SSLError as error:
            self.fault = explain(error)
        self.exact = self.exact and not records.open
        return b"".join((plaintext, *more)) if more else plaintext

    def outgoing(self) -> bytes:
        """Take what TLS itself has to say now: mostly nothing."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def seal(self, plaintext: bytes) -> bytes:
        """Return what to write for this plaintext; nothing after a fault."""
        if self.fault is not None:
            return b""
        try:
            self._object.write(plaintext)  # all of it: a buffer in memory takes any size
        except ssl.SSLError as error:
            self.fault = explain(error)
        return self._outgoing.read()

    def close(self) -> bytes:
        """Return our leave (close_notify); what the server still says need not be awaited."""
        if self.open and self.fault is None:
            with contextlib.suppress(ssl.SSLError):  # the server's own leave has not come
                self._object.unwrap()
        return self._outgoing.read()

    def _shake(self) -> bool:
        """Go on with the handshake; whether it is done."""
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            self.fault = explain(error)
            return False
        self.open = True
        return True
