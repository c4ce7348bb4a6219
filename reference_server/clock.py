"""The clocks, gathered so that everything else takes them as arguments."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
TIME_OFFSETS = Path("/proc/self/timens_offsets")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Clock(Struct, frozen=True):
    """`monotonic_ns` measures, `now` is only shown and compared with token expiry."""

    monotonic_ns: Callable[[], int] = time.monotonic_ns
    now: Callable[[], datetime] = _utc_now


def clock_id(fallback: str) -> str:
    """Name the monotonic clock: processes of one Linux boot and time namespace share it.

    Elsewhere than on Linux it is this server's own.
    """
    try:
        boot = BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return fallback
    try:
        lines = TIME_OFFSETS.read_text(encoding="ascii").splitlines()
    except OSError:  # a kernel without time namespaces
        return boot
    # clock, seconds, nanoseconds
    ahead = {name: (int(seconds), int(ns)) for name, seconds, ns in map(str.split, lines)}
    seconds, nanoseconds = ahead.get("monotonic", (0, 0))
    return f"{boot}{seconds:+d}.{nanoseconds:09d}" if seconds or nanoseconds else boot
