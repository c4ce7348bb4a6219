"""Makes words of numbers: each with its unit, and with no more digits than it carries."""

import math

from streamgauge.core.overhead import Effect
from streamgauge.core.threshold import Unit


def count(n: int) -> str:
    """A number with its thousands apart."""
    return f"{n:,}"


def some(n: int, thing: str) -> str:
    """So many things: "1 run", "2,000 runs"."""
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def duration(ns: float) -> str:
    """Nanoseconds in µs, ms or s, to three digits."""
    for unit, size in (("µs", 1e3), ("ms", 1e6)):
        if ns / size < 999.5:
            return f"{_three_digits(ns / size)} {unit}"
    return f"{_three_digits(ns / 1e9)} s"


def round_duration(ns: float) -> str:
    """A duration that is a round number, as an axis has it: "20 ms"."""
    unit, size = next(((u, s) for u, s in (("s", 1e9), ("ms", 1e6)) if ns >= s), ("µs", 1e3))
    return f"{ns / size:,g} {unit}"


def difference(ns: float) -> str:
    """A duration that may be negative."""
    return f"−{duration(-ns)}" if ns < 0 else duration(ns)


def plus_minus(of: Effect) -> str:
    """A difference and half its interval: "214 ± 23 µs"."""
    half = of.half_width_ns
    most = max(abs(of.value_ns), half)
    unit, size = next(((u, s) for u, s in (("s", 1e9), ("ms", 1e6)) if most >= s), ("µs", 1e3))
    digits = max(0, 1 - math.floor(math.log10(half / size))) if half else 3
    return f"{of.value_ns / size:,.{digits}f} ± {half / size:,.{digits}f} {unit}".replace("-", "−")


def size(n: float) -> str:
    """Bytes in kB, MB or GB, to three digits."""
    of, sign = abs(n), "−" if n < 0 else ""
    for unit, one in (("kB", 1e3), ("MB", 1e6)):
        if of / one < 999.5:
            return f"{sign}{_three_digits(of / one)} {unit}"
    return f"{sign}{_three_digits(of / 1e9)} GB"


def share(good: int, of: int) -> str:
    """A share in per cent, cut, not rounded: 100 % is all of them."""
    if not of:
        return "nothing to count"
    if good >= of:
        return "100 %"
    hundredths = good * 10_000 // of
    return "< 0.01 %" if good and not hundredths else f"{hundredths / 100:.2f} %"


def part(value: float) -> str:
    """A part of the whole in per cent, with as many digits as it takes to tell it from 0 and from 100 %."""
    if value in (0, 1):
        return f"{value * 100:.0f} %"
    nearest = min(value, 1 - value) * 100
    digits = max(2, 1 - math.floor(math.log10(nearest) + 1e-9))
    return f"{value * 100:.{digits}f} %"


def percent(value: float) -> str:
    """A part of the whole in per cent, to two digits: "39 %", "0.33 %"."""
    of_hundred = abs(value) * 100
    digits = min(3, max(0, 1 - math.floor(math.log10(of_hundred)))) if of_hundred else 0
    return f"{'−' if value < 0 else ''}{of_hundred:.{digits}f} %"


def amount(value: float, unit: Unit) -> str:
    """A value or a limit in its unit."""
    match unit:
        case Unit.NS:
            return duration(value)
        case Unit.SHARE:
            return part(value)
        case Unit.PER_SECOND:
            return f"{_three_digits(value)}/s"
        case Unit.COUNT:
            return f"{value:,.0f}"
        case Unit.BYTES:
            return size(value)


def _three_digits(value: float) -> str:
    if value == 0:
        return "0"
    for limit, decimals in ((0.9995, 3), (9.995, 2), (99.95, 1)):
        if value < limit:
            return f"{value:.{decimals}f}"
    return f"{value:,.0f}"
