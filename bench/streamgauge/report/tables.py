"""The tables of a report as rows of plain cells; text and Markdown lay them out, each in its way."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from streamgauge.core.finding import Finding, Outcome, Verdict
from streamgauge.core.metrics.latency import Metric
from streamgauge.report import wording
from streamgauge.report.model import Duration, Quantile, Report

# What one wants to know first.
FIRST_METRICS: Final = (
    Metric.FIRST_EVENT,
    Metric.FIRST_THOUGHT,
    Metric.DELIVERY,
    Metric.DELIVERY_BOUND,
    Metric.LAG,
)
_AROUND: Final = 3  # witnesses shown on each side of the first guilty one

Row = tuple[str, ...]


class Table(NamedTuple):
    """A head and its rows; the columns in `right` hold numbers."""

    head: Row
    rows: tuple[Row, ...]
    right: tuple[int, ...] = ()


def rules(report: Report) -> Table:
    """Every rule with its outcome."""
    head = ("rule", "outcome", "exercised", "masked", "findings")
    return Table(head, tuple(_rule(verdict) for verdict in report.verdicts), right=(2, 3, 4))


def _rule(verdict: Verdict) -> Row:
    masked = wording.count(verdict.unknown) if verdict.unknown else ""
    if not verdict.exercised and not verdict.found and not verdict.unknown:
        outcome = f"{Outcome.UNKNOWN}, required" if verdict.required else "–"
        return verdict.rule, outcome, "not exercised", "", ""
    exercised = wording.some(verdict.exercised, wording.unit_of(verdict.rule))
    return verdict.rule, verdict.outcome, exercised, masked, wording.count(verdict.found)


def figures(report: Report) -> Table:
    """How much there was, the shares, and the bounds on leaks: name, value, remark."""
    counts = {name: wording.count(n) for name, n in report.counts.items()}
    rate = "" if report.events_per_s is None else f"{report.events_per_s:,.0f}/s"
    peak = f"at most {wording.count(max(report.seconds))} in one second" if report.seconds else ""
    rows = [
        ("events verified", counts.get("events", "0"), ", ".join(filter(None, (rate, peak)))),
        ("users", counts.get("users", "0"), f"on {counts.get('connections', '0')} connections"),
        ("runs", counts.get("runs", "0"), f"of {counts.get('requests', '0')} requests{_unsent(report)}"),
        *(
            (part.name, wording.share(part.good, part.of), f"{part.good:,} of {part.of:,}")
            for part in report.shares
        ),
        *_leaks(report),
    ]
    return Table(("figure", "value", ""), tuple(rows), right=(1,))


def _unsent(report: Report) -> str:
    unsent = report.counts.get("requests unsent", 0)
    return f", {wording.count(unsent)} more could not be sent" if unsent else ""


def _leaks(report: Report) -> list[Row]:
    leaks = [verdict for verdict in report.verdicts if verdict.rule in wording.ISOLATION]
    if found := sum(verdict.found for verdict in leaks):
        return [("leaks", wording.count(found), "see the findings")]
    if not report.bounds:
        return [("leaks", "unknown", "nothing was looked at")]
    doubtful = ", doubtful" if any(doubt.voids == "verdict" for doubt in report.doubts) else ""
    values = ["none seen", *[""] * (len(report.bounds) - 1)]
    return [
        ("leaks" if value else "", value, f"at most {wording.bound(bound)} (95 %{doubtful})")
        for value, bound in zip(values, report.bounds, strict=True)
    ]


def durations(
    report: Report, names: Iterable[str], quantiles: Iterable[float], *, every_interval: bool = False
) -> Table:
    """The durations that were measured, with the quantiles that their samples carry.

    The interval stands behind every quantile, or else in a column of its own for the last.
    """
    wanted = tuple(quantiles)
    of_name = {duration.name: duration for duration in report.durations}
    chosen = [of_name[name] for name in names if name in of_name]
    head = ("times", "n", *(f"p{q * 100:g}" for q in wanted))
    if not every_interval:
        head = (*head, f"95 % interval of {head[-1]}")
    rows = tuple(
        _duration(duration, wanted, every_interval=every_interval)
        for duration in chosen
        if duration.n or duration.name != Metric.DELIVERY_BOUND
    )
    return Table(head, rows, right=tuple(range(1, len(head))))


def _duration(of: Duration, wanted: tuple[float, ...], *, every_interval: bool) -> Row:
    by_q = {quantile.q: quantile for quantile in of.quantiles}
    chosen = [by_q[q] for q in wanted]
    name = f"{of.name}{' (doubtful)' if of.doubtful else ''}"
    if every_interval:
        return name, wording.count(of.n), *(" ".join(filter(None, (_value(q), _interval(q)))) for q in chosen)
    return name, wording.count(of.n), *map(_value, chosen), _interval(chosen[-1])


def _value(quantile: Quantile) -> str:
    if quantile.value_ns is None:
        return f"n < {wording.count(quantile.needs)}"
    return wording.duration(quantile.value_ns)


def _interval(quantile: Quantile) -> str:
    if quantile.low_ns is None or quantile.high_ns is None:
        return ""
    return f"({wording.duration(quantile.low_ns)} – {wording.duration(quantile.high_ns)})"


def witnesses(found: Finding, report: Report) -> Table:
    """The events around the first guilty one, which is marked `>`."""
    shown = found.witnesses
    centre = next((place for place, witness in enumerate(shown) if witness.guilty), 0)
    shown = shown[max(0, centre - _AROUND) : centre + _AROUND + 1]
    rows = tuple(
        (
            ">" if witness.guilty else "",
            wording.when(witness.at_ns, report),
            witness.kind,
            str(witness.seq or ""),
            str(witness.offset or ""),
            str(witness.size or ""),
            wording.short(witness.detail, 40),
        )
        for witness in shown
    )
    return Table(("", "second", "kind", "seq", "offset", "bytes", "detail"), rows, right=(1, 3, 4, 5))


def workers(report: Report, most: int) -> Table:
    """The generator processes."""
    rows = tuple(
        (
            worker.name,
            wording.count(worker.messages),
            wording.duration(worker.cpu_s * 1e9),
            "" if worker.lag_p99_ns is None else wording.duration(worker.lag_p99_ns),
        )
        for worker in report.workers[:most]
    )
    return Table(("worker", "messages", "CPU time", "lag p99"), rows, right=(1, 2, 3))


def environment(report: Report, most: int) -> Table:
    """Where and with what the run was made."""
    where = report.environment
    rows = (
        ("started", where.started),
        ("took", wording.duration(report.duration_s * 1e9)),
        ("command", where.command),
        ("revision", where.revision),
        ("machine", f"{where.machine}, {wording.some(where.cores, 'core')}"),
        ("system", where.system),
        ("python", where.python),
        *list(where.packages.items())[:most],
    )
    return Table(("environment", ""), rows)
