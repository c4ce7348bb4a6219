"""A server slowed on purpose, to prove that a comparison can tell it from the normal one."""

import time
from collections.abc import Callable
from typing import Final

from reference_server.bridge import Emit
from reference_server.message import Event
from reference_server.session import Session

MOST_NS: Final = 5_000_000  # burnt at once: more would silence everybody; later events burn the rest


def slowed(emit: Emit, share: float, cpu_ns: Callable[[], int] = time.process_time_ns) -> Emit:
    """Wrap `emit`: each event burns `share` of the processor time that was spent since the last one.

    So an event costs 1 + `share` times what it costs the same server without this, on
    any machine and under any load: there is nothing to calibrate.
    """
    began_ns = cpu_ns()
    burnt_ns = 0

    def emit_slowly(session: Session, event: Event) -> None:
        nonlocal burnt_ns
        emit(session, event)
        now_ns = start_ns = cpu_ns()
        owed_ns = (start_ns - began_ns - burnt_ns) * share - burnt_ns
        end_ns = start_ns + min(owed_ns, MOST_NS)
        while now_ns < end_ns:
            now_ns = cpu_ns()
        burnt_ns += now_ns - start_ns

    return emit_slowly
