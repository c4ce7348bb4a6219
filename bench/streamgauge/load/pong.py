"""What a server's answer to a ping tells of its clock."""

from streamgauge.core.event import Event
from streamgauge.core.observation import Arrival, Clocked, Received
from streamgauge.wire.clock import bracket


def clocked(conn: int, event: Event, sent_ns: int, newest: Arrival | None, now_ns: int) -> Clocked | None:
    """The bracket of the ping that was sent at `sent_ns`; None where `event` is no answer to that.

    The kernel's stamp makes it narrower where it is exact: where the event is the `newest`, the last
    that a read brought.
    """
    exact = isinstance(newest, Received) and newest.event is event and newest.exact
    arrived_ns = newest.kernel_ns if isinstance(newest, Received) and exact else now_ns
    if event.request != str(sent_ns) or sent_ns > arrived_ns:
        return None
    other = bracket(sent_ns, event.emitted_ns, arrived_ns)
    return Clocked(conn, now_ns, event.clock, other.offset_ns, other.bound_ns)
