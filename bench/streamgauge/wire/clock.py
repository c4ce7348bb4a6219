"""Other clocks in terms of our own: the kernel's receive stamps and another host's times.

Our own clock is CLOCK_MONOTONIC.  The kernel stamps received bytes in CLOCK_REALTIME, a server stamps
its events in a clock of its own.  Both are brought over by the same bracket: read our clock, the other
one, and our clock again.

    own     before            after            offset = other - (before + after) / 2
    --------|-------------------|-------->     bound  = (after - before) / 2
    other             |
                    other

For the other host the bracket is a ping and its pong, and the half of the round trip is the bound.
All times are integer nanoseconds; no clock is read here.
"""

import struct
from collections.abc import Iterable

from msgspec import Struct

# asm-generic/socket.h; Python's socket module knows SOL_SOCKET of its own platform only, and no
# SO_TIMESTAMPNS at all.  Elsewhere than on Linux there are no such stamps.
SOL_SOCKET = 1
SO_TIMESTAMPNS = 35
"""Socket option that asks for receive stamps, and the type of the control message that carries one."""

_TIMESPEC = struct.Struct("=qq")


class ClockOffset(Struct, frozen=True):
    """Another clock minus our own, true to `bound_ns` either way at the moment it was taken."""

    offset_ns: int
    bound_ns: int

    def to_own(self, other_ns: int) -> int:
        """Bring a time of the other clock to our own."""
        return other_ns - self.offset_ns


def bracket(before_ns: int, other_ns: int, after_ns: int) -> ClockOffset:
    """Take an offset from a reading of the other clock between two of our own.

    Raises ValueError where the later reading of our own clock is the smaller.
    """
    if after_ns < before_ns:
        raise ValueError("the bracket ends before it begins")
    # rounded up, so that the bound holds although the middle is rounded down
    bound = (after_ns - before_ns + 1) // 2
    return ClockOffset(other_ns - (before_ns + after_ns) // 2, bound)


def narrowest(offsets: Iterable[ClockOffset]) -> ClockOffset:
    """Choose the offset with the least bound, the first of equals; ValueError where there is none.

    The least delayed of many exchanges is the one least falsified by queues on its way.
    """
    return min(offsets, key=lambda offset: offset.bound_ns)


def step_ns(earlier: ClockOffset, later: ClockOffset) -> int:
    """Return how far the other clock was set between two offsets: 0 where their bounds explain the change.

    Slewing by NTP is no step: it moves CLOCK_REALTIME and CLOCK_MONOTONIC alike.
    """
    change = later.offset_ns - earlier.offset_ns
    return change if abs(change) > earlier.bound_ns + later.bound_ns else 0


def receive_stamp(ancillary: Iterable[tuple[int, int, bytes]]) -> int | None:
    """Find the kernel's receive time (CLOCK_REALTIME) in the ancillary data of a `recvmsg`.

    It belongs to the last byte that was read.  None where it is missing, which is normal until the
    kernel has switched its stamping on.
    """
    for level, kind, data in ancillary:
        if kind == SO_TIMESTAMPNS and level == SOL_SOCKET and len(data) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return None
