"""A calibration as a table for a terminal, and the verdict last."""

from collections.abc import Iterator, Sequence
from typing import Final

from streamgauge.core.finding import Outcome
from streamgauge.report import quantity
from streamgauge.study.calibration import DECIDES, Calibration, Figure, Load

_NAME: Final = {Outcome.PASS: "PASS", Outcome.FAIL: "FAIL", Outcome.UNKNOWN: "INCONCLUSIVE"}
_LEFT: Final = frozenset({0, 4})  # columns of words
_NOTHING: Final = "-"


def render_text(of: Calibration) -> str:
    """The errors of quantiles, those of single events, and what they come to."""
    return "\n".join([*_lines(of), ""])


def _lines(of: Calibration) -> Iterator[str]:
    quantiles = [_p(figure.q) for figure in of.loads[0].figures]
    head = ["load", "generator CPU", "exact stamps", "share", "delivery latency", *quantiles]
    yield from _laid_out([head, *(row for load in of.loads for row in _quantile_rows(load))])
    yield ""
    quantiles = [_p(spread.q) for spread in of.loads[0].spread]
    head = ["load", "exact stamps", "outside", "share", "error of single events", *quantiles]
    yield from _laid_out([head, *(row for load in of.loads for row in _spread_rows(load))])
    yield ""
    for load in of.loads:
        for remark in (*load.remarks, *_too_few(load)):
            yield f"{load.name}: {remark}"
    yield f"{_NAME[of.outcome]}  {_verdict(of)}"


def _quantile_rows(of: Load) -> Iterator[list[str]]:
    first = [
        of.name,
        quantity.percent(of.cpu_share),
        quantity.count(of.exact),
        quantity.share(of.exact, of.events),
    ]
    empty = [""] * len(first)
    true = [_NOTHING if f.true_ns is None else quantity.duration(f.true_ns) for f in of.figures]
    yield [*first, "true", *true]
    yield [*empty, "error by kernel stamp", *(_error(f.stamp) for f in of.figures)]
    yield [*empty, "error as reported", *(_error(f.reported) for f in of.figures)]
    yield [*empty, "error by read time", *(_error(f.read) for f in of.figures)]


def _spread_rows(of: Load) -> Iterator[list[str]]:
    first = [
        of.name,
        quantity.count(of.exact),
        quantity.count(of.outside),
        quantity.share(of.outside, of.exact),
    ]
    yield [*first, "by kernel stamp", *(_error(spread.stamp) for spread in of.spread)]
    yield [*[""] * len(first), "by read time", *(_error(spread.read) for spread in of.spread)]


def _laid_out(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if place in _LEFT else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _p(q: float) -> str:
    return f"p{q * 100:g}"


def _error(ns: int | None) -> str:
    if ns is None:
        return _NOTHING
    return f"+{quantity.duration(ns)}" if ns > 0 else quantity.difference(ns)


def _deciding(of: Load) -> Figure:
    return next(figure for figure in of.figures if figure.q == DECIDES)


def _too_few(of: Load) -> Iterator[str]:
    if _deciding(of).stamp is None:
        yield f"the {_p(DECIDES)} needs {_deciding(of).needs:,} exact stamps: give a longer --duration"


def _verdict(of: Calibration) -> str:
    goal = quantity.duration(of.goal_ns)
    p99 = _p(DECIDES)
    failed = [load for load in of.loads if load.outcome is Outcome.FAIL]
    if failed:
        off = ", ".join(f"{load.name} {_error(_deciding(load).stamp)}" for load in failed)
        return f"{p99} by kernel stamp is off by more than {goal}: {off}"
    unknown = [load.name for load in of.loads if load.outcome is Outcome.UNKNOWN]
    if unknown:
        return f"not known of the load {', '.join(unknown)}"
    errors = ", ".join(f"{load.name} {_error(_deciding(load).stamp)}" for load in of.loads)
    return f"{p99} by kernel stamp is off by at most {goal} under every load: {errors}"
