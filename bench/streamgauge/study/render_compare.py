"""A comparison in words: a forest of intervals, what decided, and the verdict last."""

import math
from collections.abc import Iterator
from typing import Final

from streamgauge.core.compare import Comparison
from streamgauge.core.finding import Outcome
from streamgauge.report import quantity
from streamgauge.study.compare import Study

NAME: Final = {Outcome.PASS: "PASS", Outcome.FAIL: "FAIL", Outcome.UNKNOWN: "INCONCLUSIVE"}
_REACH: Final = 1.5  # the axis ends at this ratio, and at its inverse
_HALF: Final = 14  # columns of half the axis
_HEAD: Final = ("metric", "base", "head", "ratio", "interval", "axis", "limit", "outcome", "could see")


def render_text(of: Study) -> str:
    """Everything about the comparison, for a terminal."""
    return "\n".join([*_lines(of), ""])


def _lines(of: Study) -> Iterator[str]:
    machine = of.environment
    yield f"launches: {len(of.base)} of base, {len(of.head)} of head, {of.design}"
    yield f"machine {machine.fingerprint} ({machine.cpu}, {machine.cores} cores), plan {of.plan_digest}"
    yield ""
    axis = f"{1 / _REACH:.2f}".ljust(_HALF) + "1" + f"{_REACH:.2f}".rjust(_HALF)
    yield from _laid_out(
        [tuple(axis if cell == "axis" else cell for cell in _HEAD), *map(_row, of.comparisons)]
    )
    yield ""
    for one in of.comparisons:
        if one.limit is not None and one.outcome is Outcome.UNKNOWN:
            yield f"{one.name}: {_why_unknown(one)}"
    yield from of.remarks
    if of.alone:
        yield f"left out, for the launch beside it left no report: {of.alone}"
    if of.absent:
        yield f"not measured on either side: {', '.join(of.absent)}"
    yield f"{NAME[of.outcome]}  {_verdict(of)}"


def _row(of: Comparison) -> tuple[str, ...]:
    advisory = of.limit is None
    return (
        of.name,
        _value(of.name, of.base),
        _value(of.name, of.head),
        _ratio(of.ratio),
        "–" if of.low is None or of.high is None else f"{of.low:.3f} – {of.high:.3f}",
        _axis(of),
        _ratio(of.limit),
        "" if advisory else NAME[of.outcome],
        "" if of.detectable is None else _change(of.detectable),
    )


def _laid_out(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(
                row, widths, (True, *(False,) * 4, True, False, True, False), strict=True
            )
        ]
        yield "  ".join(cells).rstrip()


def _axis(of: Comparison) -> str:
    """The interval on a logarithmic axis: │ no change, ┊ the limit, ● the ratio."""
    cells = ["·"] * (2 * _HALF + 1)
    if of.low is not None and of.high is not None:
        first, last = _column(of.low), _column(of.high)
        cells[first : last + 1] = "─" * (last - first + 1)
    cells[_HALF] = "│"
    if of.limit is not None:
        cells[_column(of.limit)] = "┊"
    if of.ratio is not None:
        cells[_column(of.ratio)] = "●"
    return "".join(cells)


def _column(ratio: float) -> int:
    """Where a ratio stands; what lies beyond the axis stands at its end."""
    place = math.log(ratio) / math.log(_REACH) * _HALF
    return _HALF + max(-_HALF, min(_HALF, round(place)))


def _value(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    if name == "events-per-second":
        return f"{value:,.0f}/s"
    return f"{value / 1e6:.1f} MB" if name == "server-memory" else quantity.duration(value)


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _change(ratio: float) -> str:
    return f"{ratio - 1:+.1%}".replace("%", " %")


def _why_unknown(of: Comparison) -> str:
    if not all(of.launches):
        return "nothing to compare: one side has no figure, or a doubt voids all of them"
    if of.low is None or of.high is None or of.detectable is None:
        return "one launch a side does not tell chance from change: it takes 2 a side at least, 12 as a rule"
    launches = min(of.launches)
    more = "it lies near the limit: only more launches tell"
    if of.needs and of.needs > launches:
        more = f"if there is no change, about {of.needs} launches a side would pass"
    return (
        f"between {_change(of.low)} and {_change(of.high)}; "
        f"the smallest change that {launches} launches a side find is {_change(of.detectable)}; {more}"
    )


def _verdict(of: Study) -> str:
    deciding = [one for one in of.comparisons if one.limit is not None]
    failed = [one for one in deciding if one.outcome is Outcome.FAIL]
    if failed:
        return "; ".join(
            f"{one.name} {_change(one.ratio or 1)} ({_change(one.low or 1)} to {_change(one.high or 1)}), "
            f"allowed {_change(one.limit or 1)}"
            for one in failed
        )
    unknown = [one.name for one in deciding if one.outcome is Outcome.UNKNOWN]
    if unknown:
        return f"nothing is known to be worse, and not enough is known of {', '.join(unknown)}"
    if of.outcome is Outcome.UNKNOWN:
        return "; ".join(of.remarks) or "nothing decides"
    return f"head is no worse than base: all of {', '.join(one.name for one in deciding)} within their limits"
