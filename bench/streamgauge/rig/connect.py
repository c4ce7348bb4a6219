"""A blocking connection to a target, as the plain shells beside a run need it."""

import contextlib
import socket
import ssl

from streamgauge.trust import trust
from streamgauge.wire import TlsError, address_of
from streamgauge.wire.tls import HUNG_UP, explain


def connect(target: str, ca_file: str, timeout_s: float) -> socket.socket:
    """Connect to `target`, over TLS where it is wss://.

    Raises `OSError` where nobody is there, `TlsError` where TLS is not agreed on, and `PlanError` for the
    CA file.
    """
    address = address_of(target)
    context = trust(target, ca_file)
    sock = socket.create_connection((address.host, address.port), timeout_s)
    return sock if context is None else _over_tls(sock, context, address.host)


def speaks_tls(target: str, timeout_s: float) -> bool:
    """Whether a server answers in TLS, whatever certificate it shows."""
    address = address_of(target)
    try:
        sock = socket.create_connection((address.host, address.port), timeout_s)
        _over_tls(sock, ssl.create_default_context(), address.host).close()
    except TlsError as error:
        return isinstance(error.__cause__, ssl.SSLCertVerificationError)
    except OSError:
        return False
    return True


def _over_tls(sock: socket.socket, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    with contextlib.ExitStack() as undo:
        undo.callback(sock.close)
        try:
            secured = context.wrap_socket(sock, server_hostname=host)
        except (ssl.SSLEOFError, ConnectionResetError) as error:
            raise TlsError(HUNG_UP) from error
        except ssl.SSLError as error:
            raise TlsError(explain(error)) from error
        undo.pop_all()
        return secured
