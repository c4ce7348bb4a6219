"""The tables of a report as rows of plain cells; text and Markdown lay them out, each in its way."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from streamgauge.core.attack import Attacked
from streamgauge.core.finding import Finding, Outcome, Verdict, Witness
from streamgauge.core.interval import least_sample
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.metrics.streams import CHUNK_GAP
from streamgauge.core.overhead import Cost
from streamgauge.core.threshold import ThresholdResult, Unit
from streamgauge.report import quantity, reach, wording
from streamgauge.report.model import Duration, Quantile, RateQuantile, Report, Worker
from streamgauge.report.table import Row, Table

# What one wants to know first.
FIRST_METRICS: Final = (
    Metric.FIRST_EVENT,
    Metric.FIRST_THOUGHT,
    Metric.FIRST_CHUNK,
    CHUNK_GAP,
    Metric.DELIVERY,
    Metric.DELIVERY_BOUND,
    Metric.LAG,
    Metric.SLIP,
)
_NOT_EVERYWHERE: Final = (Metric.DELIVERY_BOUND, Metric.FIRST_CHUNK, CHUNK_GAP)  # shown where there are some
_UNKNOWN: Final = "unknown"
_AROUND: Final = 3  # witnesses shown on each side of the first guilty one


def rules(report: Report) -> Table:
    """Every rule with its outcome."""
    head = ("rule", "outcome", "exercised", "masked", "findings")
    return Table(head, tuple(_rule(verdict) for verdict in report.verdicts), right=(2, 3, 4))


def _rule(verdict: Verdict) -> Row:
    if not verdict.promised:
        return verdict.rule, "not promised", "", "", ""
    masked = quantity.count(verdict.unknown) if verdict.unknown else ""
    if not verdict.exercised and not verdict.found and not verdict.unknown:
        outcome = f"{Outcome.UNKNOWN}, required" if verdict.required else "–"
        return verdict.rule, outcome, "not exercised", "", ""
    exercised = quantity.some(verdict.exercised, wording.unit_of(verdict.rule))
    return verdict.rule, verdict.outcome, exercised, masked, quantity.count(verdict.found)


def figures(report: Report) -> Table:
    """How much there was, the shares, and the bounds on leaks: name, value, remark."""
    counts = {name: quantity.count(n) for name, n in report.counts.items()}
    rate = "" if report.events_per_s is None else f"{report.events_per_s:,.0f}/s"
    rows = [
        ("events verified", counts.get("events", "0"), ", ".join(filter(None, (rate, wording.peak(report))))),
        ("users", counts.get("users", "0"), f"on {counts.get('connections', '0')} connections"),
        ("runs", counts.get("runs", "0"), f"of {counts.get('requests', '0')} requests{_beside(report)}"),
        *(
            (part.name, quantity.share(part.good, part.of), f"{part.good:,} of {part.of:,}")
            for part in report.shares
        ),
        _goodput(report),
        *([_streams(report)] if report.streams.streams else []),
        reach.leaks_figure(report),
        reach.losses_figure(report),
        *reach.stamps_figures(report),
    ]
    return Table(("figure", "value", ""), tuple(rows), right=(1,))


def _goodput(report: Report) -> Row:
    of = report.goodput
    per_s = "unknown" if of.per_s is None or not of.of else quantity.amount(of.per_s, Unit.PER_SECOND)
    return f"goodput{' (doubtful)' if of.doubtful else ''}", per_s, wording.goodput(of)


def _streams(report: Report) -> Row:
    of = report.streams
    name = f"answer streams{' (doubtful)' if of.doubtful else ''}"
    return name, quantity.count(of.streams), wording.streams(of)


def thresholds(report: Report) -> Table:
    """Every threshold with its limit, and what was held against it."""
    head = ("threshold", "limit", "level", "outcome", "value", "95 % interval", "n")
    return Table(head, tuple(map(_threshold, report.thresholds)), right=(4, 5, 6))


def _threshold(of: ThresholdResult) -> Row:
    asked = of.threshold
    return (
        f"{asked.statistic}({asked.metric})" if asked.statistic else asked.metric,
        f"{asked.operator} {quantity.amount(asked.limit, asked.unit)}",
        asked.level,
        " ".join(filter(None, (of.outcome, (why := wording.why_unknown(of)) and f"({why})"))),
        wording.value(of) or "–",
        wording.interval(of),
        quantity.count(of.n),
    )


def chunk_rates(report: Report) -> Table:
    """Chunks per second of the streams, with the quantiles that their number carries."""
    of = report.streams
    head = ("answer streams", "n", *(f"p{rate.q * 100:g}" for rate in of.quantiles))
    name = f"chunks per second{' (doubtful)' if of.doubtful else ''}"
    row = (name, quantity.count(of.distribution.n), *map(_rate, of.quantiles))
    return Table(head, (row,) if of.streams else (), right=tuple(range(1, len(head))))


def _rate(of: RateQuantile) -> str:
    if of.value_per_s is None or of.low_per_s is None or of.high_per_s is None:
        return f"n < {quantity.count(of.needs)}"
    value, low, high = (
        quantity.amount(rate, Unit.PER_SECOND) for rate in (of.value_per_s, of.low_per_s, of.high_per_s)
    )
    return f"{value} ({low} – {high})"


def _beside(report: Report) -> str:
    """What became of other requests and runs: without runs abandoned nobody was stalled, cut or left."""
    unsent, abandoned = (report.counts.get(name, 0) for name in ("requests unsent", "runs abandoned"))
    return (f", {quantity.count(unsent)} more could not be sent" if unsent else "") + (
        f", {quantity.some(abandoned, 'run')} abandoned" if abandoned else ""
    )


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
        if duration.n or duration.name not in _NOT_EVERYWHERE
    )
    return Table(head, rows, right=tuple(range(1, len(head))))


def _duration(of: Duration, wanted: tuple[float, ...], *, every_interval: bool) -> Row:
    by_q = {quantile.q: quantile for quantile in of.quantiles}
    chosen = [by_q[q] for q in wanted]
    name = wording.timed(of)
    if wording.hidden_by_clocks(of):
        return name, quantity.count(of.n), *["–"] * len(chosen), *([] if every_interval else [""])
    if every_interval:
        return name, quantity.count(of.n), *map(quantile, chosen)
    return name, quantity.count(of.n), *map(_value, chosen), _interval(chosen[-1])


def quantile(of: Quantile) -> str:
    """The value with its interval."""
    return " ".join(filter(None, (_value(of), _interval(of))))


def _value(quantile: Quantile) -> str:
    if quantile.value_ns is None:
        return f"n < {quantity.count(quantile.needs)}"
    return quantity.duration(quantile.value_ns)


def _interval(quantile: Quantile) -> str:
    if quantile.low_ns is None or quantile.high_ns is None:
        return ""
    return f"({quantity.duration(quantile.low_ns)} – {quantity.duration(quantile.high_ns)})"


def attacks(report: Report) -> Table:
    """Every attack with what it was answered, and what is stated; then what it aims at, and what was sent."""
    head = ("attack", "outcome", "answered", "stated", "aims at", "sent")
    return Table(head, tuple(map(_attack, report.attack.attacks)) if report.attack else ())


def _attack(of: Attacked) -> Row:
    outcome = "not exercised" if of.outcome is None else of.outcome
    answered = ", ".join(filter(None, (of.answer, of.said)))
    return of.name, outcome, answered, " or ".join(of.stated) or "–", of.group, of.sent


def witnesses(found: Finding, report: Report) -> Table:
    """The events around the first guilty one, which is marked `>`."""
    return _events(found.witnesses, report)


def theirs(found: Finding, report: Report) -> Table:
    """What the second user of a leak saw on its own socket around it."""
    return _events(found.theirs, report)


def _events(shown: Sequence[Witness], report: Report) -> Table:
    """The events; of which run each is, where they are of several."""
    centre = next((place for place, witness in enumerate(shown) if witness.guilty), 0)
    shown = shown[max(0, centre - _AROUND) : centre + _AROUND + 1]
    mixed = len({witness.run for witness in shown}) > 1
    rows = tuple(
        (
            ">" if witness.guilty else "",
            wording.when(witness.at_ns, report),
            witness.kind,
            str(witness.seq or ""),
            str(witness.offset or ""),
            str(witness.size or ""),
            *((wording.short(witness.run, 11),) if mixed else ()),
            wording.short(witness.detail, 40),
        )
        for witness in shown
    )
    head = ("", "second", "kind", "seq", "offset", "bytes", *(("run",) if mixed else ()), "detail")
    return Table(head, rows, right=(1, 3, 4, 5))


def finding(found: Finding, report: Report) -> Table:
    """Of whom a finding is, its names at full length, to be looked up in a recording."""
    rows = (
        ("user", found.user),
        ("connection", quantity.count(found.conn) if found.conn else ""),
        ("other user", found.other),
        ("run", found.run),
        ("request", found.request),
        ("second", wording.when(found.at_ns, report) if found.at_ns else ""),
        ("time of day", wording.wall_clock(found.at_ns, report)),
    )
    return Table(("of", ""), tuple(row for row in rows if row[1]))


def overhead(report: Report) -> Table:
    """What events cost a run and an event, by kind of cost; of what; and what the control says."""
    head = ("emission overhead", "a run", "95 % interval", "mean", "an event", "share")
    of = report.overhead
    kinds = (
        (("server CPU", of.cpu), ("run's own time", of.emission), ("run time", of.execution)) if of else ()
    )
    rows = tuple(row for name, cost in kinds if of and cost for row in _cost(name, cost, of.events_per_run))
    return Table(head, rows, right=(1, 2, 3, 4, 5))


def _cost(name: str, of: Cost, events: float) -> Iterator[Row]:
    parts = (
        (name, of.events),
        ("  encoding", of.encoding),
        ("  sending", of.sending),
        ("  A/A control", of.control),
    )
    for part, effect in parts:
        yield (
            part,
            quantity.difference(effect.value_ns),
            f"{quantity.difference(effect.low_ns)} – {quantity.difference(effect.high_ns)}",
            quantity.difference(effect.mean_ns),
            quantity.difference(effect.value_ns / events) if events else "",
            quantity.percent(effect.value_ns / of.whole_ns) if of.whole_ns > 0 else "",
        )


def workers(report: Report, most: int) -> Table:
    """The generator processes, and how they were."""

    def share(value: float | None) -> str:
        return _UNKNOWN if value is None else quantity.percent(value)

    def p99(value_ns: int | None) -> str:
        too_few = f"n < {quantity.count(least_sample(0.99))}"
        return too_few if value_ns is None else quantity.duration(value_ns)

    def longest(worker: Worker) -> str:
        if worker.gc_pause_max_ns is None:
            return "none" if worker.collections and not any(worker.collections) else _UNKNOWN
        return quantity.duration(worker.gc_pause_max_ns)

    rows = tuple(
        (
            worker.name,
            quantity.count(worker.messages),
            quantity.duration(worker.cpu_s * 1e9),
            share(worker.cpu_share),
            share(worker.waited),
            share(worker.stolen),
            p99(worker.lag_p99_ns),
            p99(worker.loop_lag_p99_ns),
            longest(worker),
        )
        for worker in report.workers[:most]
    )
    head = (
        "worker",
        "messages",
        "CPU time",
        "CPU",
        "waited",
        "stolen",
        "lag p99",
        "loop lag p99",
        "longest GC",
    )
    return Table(head, rows, right=tuple(range(1, len(head))))


def environment(report: Report, most: int) -> Table:
    """Where and with what the run was made."""
    where = report.environment
    rows = (
        ("started", where.started),
        ("took", quantity.duration(report.duration_s * 1e9)),
        ("command", where.command),
        ("revision", where.revision),
        ("machine", f"{where.machine}, {quantity.some(where.cores, 'core')}"),
        ("system", where.system),
        ("python", where.python),
        *list(where.packages.items())[:most],
    )
    return Table(("environment", ""), rows)


def plan(report: Report, most: int) -> Table:
    """What was to be run, without what is empty."""
    rows = [(key, shown) for key, value in report.plan.items() if (shown := _setting(value))]
    return Table(("plan", ""), tuple(rows[:most]))


def _setting(value: object) -> str:
    match value:
        case str():
            return value
        case dict():
            return ", ".join(f"{key} {_setting(inner)}" for key, inner in value.items())
        case list() | tuple():
            return ", ".join(map(_setting, value))
        case _:
            return msgspec.json.encode(value).decode().removesuffix(".0")
