"""The wire: the client end of a WebSocket without I/O, and the times at which its bytes were received.

`session`    bytes read -> messages; `frames` is its short way, `handshake` its beginning
`tls`        what stands between the socket and a session whose address is wss://
`address`    where an address leads
`clock`      a kernel's receive stamp or another host's clock -> nanoseconds of our own clock
"""

from websockets.protocol import State

from streamgauge.wire.address import Address, address_of
from streamgauge.wire.clock import (
    SO_TIMESTAMPNS,
    ClockOffset,
    bracket,
    narrowest,
    receive_stamp,
    step_ns,
)
from streamgauge.wire.handshake import MisuseError, Refusal
from streamgauge.wire.message import Aside, Message, Unreadable
from streamgauge.wire.session import ClientSession
from streamgauge.wire.tls import TlsChannel, TlsError

__all__ = [
    "SO_TIMESTAMPNS",
    "Address",
    "Aside",
    "ClientSession",
    "ClockOffset",
    "Message",
    "MisuseError",
    "Refusal",
    "State",
    "TlsChannel",
    "TlsError",
    "Unreadable",
    "address_of",
    "bracket",
    "narrowest",
    "receive_stamp",
    "step_ns",
]
