"""Thresholds as code: read once, held against what a run measured.

    threshold = statistic "(" duration ")" order time         p99(delivery) < 50ms
              | statistic "(chunk_rate)"   order number ["/s"] p10(chunk_rate) > 20/s
              | "count(" duration | "chunk_rate" ")" compare number
              | "rate(" rate ")"           compare part        rate(leaks) == 0
              | share                      compare part        goodput_share > 99.9%
              | figure                     order number ["/s"] goodput >= 40/s
              | size                       order bytes         server_memory_growth < 64MB
    statistic = "p" number | "min" | "max" | "mean"            p50, p99, p99.9
    order     = "<" | "<=" | ">" | ">="
    compare   = order | "=="
    time      = number ("us" | "µs" | "ms" | "s" | "m" | "h")
    bytes     = number ("kB" | "MB" | "GB" | "KiB" | "MiB" | "GiB")
    part      = number ["%"], from 0 to 1

The durations, rates, shares, figures and sizes are those of `measured`.

The value is held against the limit, and decides even where its interval straddles
it. But what was not measured is no pass, and neither is what too few samples say:
a quantile takes as many as its interval needs, a rate or share that is held against
a limit between 0 and 1 as many as the quantile of that rank (99.9 % takes 2,995).
"""

import re
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from msgspec import Struct

from streamgauge.core.finding import Outcome
from streamgauge.core.histogram import Distribution
from streamgauge.core.interval import least_sample, quantile_ranks, share_interval
from streamgauge.core.limit import Operator, Reader
from streamgauge.core.measured import CHUNK_RATE, DURATIONS, FIGURES, RATES, SHARES, SIZES, Measured

COUNT: Final = "count"
RATE: Final = "rate"
_PLAIN: Final = ("min", "max", "mean")
_QUANTILE: Final = re.compile(r"p(\d{1,2}(?:\.\d{1,3})?)")
_ORDER: Final = (Operator.AT_MOST, Operator.AT_LEAST, Operator.BELOW, Operator.ABOVE)
_COMPARE: Final = (*_ORDER, Operator.EXACTLY)
_FINEST: Final = Decimal("1e-12")  # a part closer to 0 or 1 can neither be measured nor computed
_MILLI: Final = 1_000

Value = int | float


class Level(StrEnum):
    """What a threshold that does not hold does: be told, or fail the run."""

    WARN = "warn"
    FAIL = "fail"


class Unit(StrEnum):
    """What the limit and the value of a threshold are counted in."""

    NS = "ns"
    PER_SECOND = "1/s"
    SHARE = "share"  # 0–1
    COUNT = "count"
    BYTES = "bytes"


class Threshold(Struct, frozen=True):
    """One threshold; `statistic` is "" of a share or figure, `text` is how it was written."""

    metric: str
    statistic: str
    operator: Operator
    limit: Value
    unit: Unit
    level: Level
    text: str


class ThresholdResult(Struct, frozen=True):
    """What a threshold came to: the value with its 95 % interval, of `n` samples.

    Where it is unknown `void` names the doubt that made it so, else there were fewer
    samples than `needs`.
    """

    threshold: Threshold
    outcome: Outcome
    value: Value | None
    low: Value | None
    high: Value | None
    n: int
    needs: int
    void: str = ""


def parse(text: str, level: Level = Level.FAIL) -> Threshold:
    """Read a threshold; raises `LimitError`."""
    reader = Reader(text)
    statistic, metric = "", reader.word("a statistic or the name of a share, figure or size")
    if reader.next_is("("):
        statistic, metric = metric, reader.word("the name of what is measured")
        reader.expect(")")
    unit = _unit(statistic, metric)
    if unit is None:
        raise reader.error(f"there is no such thing to measure; known are {known_names()}")
    operator = reader.operator(*(_COMPARE if unit in (Unit.SHARE, Unit.COUNT) else _ORDER))
    limit = _limit(reader, unit)
    reader.end()
    return Threshold(metric, statistic, operator, limit, unit, level, reader.text)


def known_names() -> str:
    """Everything that a threshold may speak of, as one line."""
    times = ", ".join((*DURATIONS, CHUNK_RATE))
    return (
        f"p50, p99, p99.9 …, min, max, mean or count of ({times}); "
        f"rate of ({', '.join(RATES)}); {', '.join((*SHARES, *FIGURES, *SIZES))}"
    )


def _unit(statistic: str, metric: str) -> Unit | None:
    """What such a threshold is counted in; None where there is none such."""
    if not statistic:
        if metric in SIZES:
            return Unit.BYTES
        return Unit.SHARE if metric in SHARES else Unit.PER_SECOND if metric in FIGURES else None
    if statistic == RATE:
        return Unit.SHARE if metric in RATES else None
    if metric not in DURATIONS and metric != CHUNK_RATE:
        return None
    if statistic == COUNT:
        return Unit.COUNT
    if statistic not in _PLAIN and not _rank(statistic):
        return None
    return Unit.PER_SECOND if metric == CHUNK_RATE else Unit.NS


def _rank(statistic: str) -> float:
    """0.99 of "p99"; 0 of what is no quantile."""
    match = _QUANTILE.fullmatch(statistic)
    return float(Decimal(match[1]) / 100) if match else 0.0


def _limit(reader: Reader, unit: Unit) -> Value:
    if unit is Unit.NS:
        return reader.nanoseconds()
    if unit is Unit.BYTES:
        return reader.size()
    number = reader.number()
    match unit:
        case Unit.SHARE:
            number = number / 100 if reader.next_is("%") else number
            if number > 1:
                raise reader.error("a rate or share is at most 1, or 100%")
            if number not in (0, 1) and not _FINEST <= number <= 1 - _FINEST:
                raise reader.error("so fine a part cannot be measured")
        case Unit.PER_SECOND:
            reader.next_is("/s")
        case Unit.COUNT if number != int(number):
            raise reader.error("a count is a whole number")
    return int(number) if unit is Unit.COUNT else float(number)


class _Found(NamedTuple):
    """A value and how sure it is."""

    value: Value | None = None
    n: int = 0
    interval: tuple[Value, Value] | None = None
    needs: int = 1


def evaluate(threshold: Threshold, measured: Measured) -> ThresholdResult:
    """Hold a threshold against what was measured."""
    found = _look_up(threshold, measured)
    outcome, void = _judge(threshold, found, measured)
    low, high = found.interval or (None, None)
    return ThresholdResult(threshold, outcome, found.value, low, high, found.n, found.needs, void)


def _judge(threshold: Threshold, found: _Found, measured: Measured) -> tuple[Outcome, str]:
    """The outcome, and the doubt that made it unknown."""
    void = measured.void.get(threshold.metric, "")
    if void or found.value is None:
        return Outcome.UNKNOWN, void
    if threshold.unit is Unit.NS and (bound := measured.bounds.get(threshold.metric, 0)):
        kept = {threshold.operator.holds(found.value + off, threshold.limit) for off in (-bound, bound)}
        if len(kept) > 1:
            return Outcome.UNKNOWN, f"the clocks are known to ± {bound / 1e3:,.0f} µs only"
    if not threshold.operator.holds(found.value, threshold.limit):
        return Outcome.FAIL, ""
    if found.n < found.needs:
        return Outcome.UNKNOWN, ""
    return (Outcome.UNKNOWN, measured.holes) if measured.holes else (Outcome.PASS, "")


def _look_up(threshold: Threshold, measured: Measured) -> _Found:
    statistic, metric = threshold.statistic, threshold.metric
    if metric in SIZES:
        size = measured.sizes.get(metric)
        return _Found(size.bytes, size.n) if size else _Found()
    if statistic in ("", RATE):
        if metric in FIGURES:
            figure = measured.figures.get(metric)
            return _Found(figure.per_s, figure.n) if figure and figure.n else _Found()
        ratio = measured.ratios.get(metric)
        if ratio is None or not ratio.of:
            return _Found()
        needs = least_sample(threshold.limit) if 0 < threshold.limit < 1 else 1
        return _Found(ratio.hits / ratio.of, ratio.of, share_interval(ratio.hits, ratio.of), needs)
    if metric == CHUNK_RATE:
        found = _statistic(statistic, measured.chunk_rate)
        return found if statistic == COUNT else _per_second(found)
    return _statistic(statistic, measured.durations.get(metric, Distribution()))


def _statistic(statistic: str, of: Distribution) -> _Found:
    if statistic == COUNT:
        return _Found(of.n, of.n)
    if statistic in _PLAIN:
        value = {"min": of.least, "max": of.most, "mean": of.mean if of.n else 0}[statistic]
        return _Found(value, of.n) if of.n else _Found()
    q = _rank(statistic)
    needs = least_sample(q)
    ranks = quantile_ranks(q, of.n)
    if ranks is None:
        return _Found(n=of.n, needs=needs)
    return _Found(of.quantile(q), of.n, (of.at_rank(ranks[0]), of.at_rank(ranks[1])), needs)


def _per_second(found: _Found) -> _Found:
    low_high = found.interval and (found.interval[0] / _MILLI, found.interval[1] / _MILLI)
    return found._replace(value=None if found.value is None else found.value / _MILLI, interval=low_high)
