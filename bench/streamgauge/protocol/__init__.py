"""How a server's stream is read and spoken to: bytes to `Event`, requests to bytes.

Nothing outside this room knows a protocol's field names. `PROTOCOLS` names what
is built in; `dialect` says what a protocol must offer; `observe` turns the bytes
of one connection into rows.
"""

from typing import Final

from streamgauge.protocol.ag_ui import AG_UI
from streamgauge.protocol.dialect import Dialect, Reader, Request, Unreadable
from streamgauge.protocol.native import NATIVE
from streamgauge.protocol.observe import Observer

PROTOCOLS: Final[dict[str, Dialect]] = {"native": NATIVE, "ag-ui": AG_UI}

__all__ = ["PROTOCOLS", "Dialect", "Observer", "Reader", "Request", "Unreadable"]
