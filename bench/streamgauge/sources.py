"""The local addresses that sockets come from.

A port of one local address leads to one port of one target at a time (28,232 of them
by Linux's defaults). The loopback network has addresses to spare; elsewhere the plan
names those that this machine has.
"""

import ipaddress
import socket
from collections.abc import Sequence
from typing import Final

from streamgauge.plan import Plan, PlanError

SOCKETS_PER_SOURCE: Final = 20_000  # ports that were let go are not free at once
_FIRST_LOOPBACK: Final = ipaddress.IPv4Address("127.0.0.2")


def family_of(source: str) -> int:
    """The address family of an IP address."""
    return socket.AF_INET if ipaddress.ip_address(source).version == 4 else socket.AF_INET6


def sources_of(plan: Plan) -> Sequence[str]:
    """Those of the plan that this machine has, for it may name those of several.

    Where it names none: as many of the loopback network as its sockets take, none where one address
    carries them all. Raises `PlanError` where this machine has none of them.
    """
    if not plan.sources:
        count = -(-plan.sockets // SOCKETS_PER_SOURCE)
        spread = [str(_FIRST_LOOPBACK + place) for place in range(count)] if count > 1 else []
        return list(filter(_is_own, spread))  # not every system has the whole network
    own = [source for source in plan.sources if _is_own(source)]
    if not own:
        named = ", ".join(plan.sources)
        raise PlanError(f"sources: this machine has none of {named} (`ip address` lists its own)")
    return own


def _is_own(source: str) -> bool:
    with socket.socket(family_of(source), socket.SOCK_DGRAM) as sock:
        try:
            sock.bind((source, 0))
        except OSError:
            return False
    return True
