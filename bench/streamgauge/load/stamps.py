"""Kernel receive stamps, mapped to the monotonic clock."""

import socket
import sys
import time
from pathlib import Path
from typing import Final

from streamgauge.wire.clock import (
    SO_TIMESTAMPNS,
    ClockOffset,
    bracket,
    narrowest,
    receive_stamp,
    step_ns,
)

_READINGS: Final = 16  # brackets to choose the narrowest from
_RENEW_NS: Final = 1_000_000_000

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
TIME_OFFSETS: Final = Path("/proc/self/timens_offsets")
ANCILLARY_BYTES: Final = socket.CMSG_SPACE(16)


class KernelClock:
    """Asks the kernel for stamps, and keeps the offset of its clock to ours.

    The kernel begins to stamp a while after the first socket asks for it: one keeper
    socket asks before all others, for as long as this object lives.
    """

    def __init__(self) -> None:
        self.available = sys.platform == "linux"
        self.steps = 0  # how often the realtime clock was set during the run
        self._keeper = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.stamp(self._keeper)
        self._offset = self._read()
        self._renew_ns = time.monotonic_ns() + _RENEW_NS

    def stamp(self, sock: socket.socket) -> None:
        """Have what `sock` receives stamped."""
        if self.available:
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def arrival_ns(self, ancillary: list[tuple[int, int, bytes]], now_ns: int) -> int:
        """When the last byte of a read arrived, on the monotonic clock; 0 without a stamp."""
        if now_ns >= self._renew_ns:
            self._renew(now_ns)
        stamp = receive_stamp(ancillary)
        return 0 if stamp is None else self._offset.to_own(stamp)

    def _renew(self, now_ns: int) -> None:
        latest = self._read()
        if step_ns(self._offset, latest):
            self.steps += 1
        self._offset = latest
        self._renew_ns = now_ns + _RENEW_NS

    def _read(self) -> ClockOffset:
        return narrowest(
            bracket(time.monotonic_ns(), time.time_ns(), time.monotonic_ns()) for _ in range(_READINGS)
        )

    def close(self) -> None:
        """Let the keeper go."""
        self._keeper.close()


def own_clock() -> str:
    """What names this process's monotonic clock (docs/wire.md); "" where there is no such name."""
    try:
        boot = BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
    try:
        offsets = TIME_OFFSETS.read_text(encoding="ascii")
    except OSError:  # a kernel without time namespaces
        return boot
    return clock_name(boot, offsets)


def clock_name(boot: str, offsets: str) -> str:
    """The boot's id, and how far a time namespace puts its clock ahead (`offsets`, as Linux writes them)."""
    for line in offsets.splitlines():
        name, seconds, nanoseconds = line.split()
        if name == "monotonic" and (seconds, nanoseconds) != ("0", "0"):
            return f"{boot}{int(seconds):+d}.{int(nanoseconds):09d}"
    return boot
