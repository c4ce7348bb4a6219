"""Other machines' clocks in terms of our own: of many ping exchanges, the one that says most by now.

An exchange gives the other clock's offset, true to half of its round trip at that
moment. Clocks drift, so that it says less with every second. As NTP's clock filter
(RFC 5905, sections 6 and 10) has it, a bound grows by 15 ppm of its age, and the
exchange with the least bound by now is the one to go by.
"""

from typing import Final, NamedTuple

_DRIFT: Final = 15e-6  # PHI of RFC 5905: how fast two clocks may part
_SETTLE_NS: Final = 1_000_000_000  # of a clock's first exchanges none may have been quick


class Mapping(NamedTuple):
    """The other clock minus our own, true to `bound_ns` either way; nanoseconds."""

    offset_ns: int
    bound_ns: int


class _Taken(NamedTuple):
    offset_ns: int
    bound_ns: int
    at_ns: int

    def bound_at(self, now_ns: int) -> int:
        return self.bound_ns + round(_DRIFT * abs(now_ns - self.at_ns))


class ClockMap:
    """Keeps the best exchange with every clock, by the clock's id; times are nanoseconds of our own clock."""

    def __init__(self) -> None:
        self._best: dict[str, _Taken] = {}
        self._settled_ns: dict[str, int] = {}

    def add(self, clock: str, offset_ns: int, bound_ns: int, at_ns: int) -> None:
        """Take an exchange that ended at `at_ns`."""
        best = self._best.get(clock)
        if best is None:
            self._settled_ns[clock] = at_ns + _SETTLE_NS
        if best is None or bound_ns <= best.bound_at(at_ns):
            self._best[clock] = _Taken(offset_ns, bound_ns, at_ns)

    def at(self, clock: str, at_ns: int) -> Mapping | None:
        """How that clock maps to ours at `at_ns`; None while that is not known, or has only begun to be."""
        best = self._best.get(clock)
        if best is None or at_ns < self._settled_ns[clock]:
            return None
        return Mapping(best.offset_ns, best.bound_at(at_ns))
