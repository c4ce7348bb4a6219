"""A token bucket: how often is too often."""


class TokenBucket:
    """Allows `burst` at once and `per_s` in the long run; times in nanoseconds of any one clock."""

    def __init__(self, per_s: float, burst: int, now_ns: int) -> None:
        self._per_ns = per_s / 1e9
        self._burst = burst
        self._level = float(burst)
        self._at_ns = now_ns

    def take(self, now_ns: int) -> bool:
        """Whether one more is allowed at `now_ns`."""
        self._level = min(self._burst, self._level + (now_ns - self._at_ns) * self._per_ns)
        self._at_ns = now_ns
        if self._level < 1:
            return False
        self._level -= 1
        return True
