"""Tells when nobody is connected any more, so that a run need not idle until its end."""

from typing import Final

_PATIENCE_S: Final = 2.0  # who closed a socket to open another is away for less


class Vigil:
    """Watches how many are connected, from when the ramp is over (`ramp_ends_s`, of the caller's clock)."""

    def __init__(self, ramp_ends_s: float) -> None:
        self._deserted_s = ramp_ends_s
        self._ever = False

    def is_over(self, now_s: float, connections: int, users: int) -> bool:
        """Whether all are gone for good: `users` are those who may still try to connect."""
        self._ever = self._ever or connections > 0
        if connections or (users and not self._ever):
            self._deserted_s = max(self._deserted_s, now_s)
        return now_s - self._deserted_s > _PATIENCE_S
