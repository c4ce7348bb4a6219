"""Whose certificates a target may show: those of the plan's CA file, or of the system's CAs."""

import ssl
from pathlib import Path

from streamgauge.plan import PlanError
from streamgauge.wire import address_of
from streamgauge.wire.tls import client_context


def trust(target: str, ca_file: str) -> ssl.SSLContext | None:
    """What to verify the target's certificate with; None where it is ws://. Raises `PlanError`."""
    if not address_of(target).secure:
        return None
    if not ca_file:
        return client_context(None)
    try:
        pem = Path(ca_file).read_text(encoding="ascii", errors="ignore")  # comments may be in any tongue
        return client_context(pem)
    except OSError as error:
        raise PlanError(f"ca_file: {ca_file} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise PlanError(f"ca_file: {ca_file} holds no certificate in PEM form") from error
