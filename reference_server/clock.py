"""The clocks, gathered so that everything else takes them as arguments."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Clock(Struct, frozen=True):
    """`monotonic_ns` measures, `now` is only shown and compared with token expiry."""

    monotonic_ns: Callable[[], int] = time.monotonic_ns
    now: Callable[[], datetime] = _utc_now


def clock_id(fallback: str) -> str:
    """Name the monotonic clock: processes of one Linux boot share it; elsewhere it is this server's own."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return fallback
