"""Compares the result folders of two servers: which may be compared, and what their figures are."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from streamgauge.core.compare import Comparison, Design, Gate, compare, decide
from streamgauge.core.finding import Outcome
from streamgauge.core.metrics.latency import Metric
from streamgauge.plan import ELSEWHERE
from streamgauge.report.model import Environment, Report
from streamgauge.report.render_json import ReportError, read_json

REPORT: Final = "report.json"
_UNSAID: Final = "their digests differ, but nothing that a report keeps does: was one written by hand?"
_WHOLE_SECONDS: Final = slice(1, -1)  # in the first and the last one the users come and go


class Incomparable(ValueError):
    """Runs that say nothing of each other; the text says why."""


class Launch(Struct, frozen=True):
    """One run against one launch of a server."""

    folder: str
    report: Report


class Study(Struct, frozen=True):
    """What the comparison came to.

    `remarks` are why a pass is none, `absent` the metrics that neither side has, and
    `alone` launches lost the one beside them and were left out.
    """

    outcome: Outcome
    design: Design
    comparisons: tuple[Comparison, ...]
    environment: Environment
    plan_digest: str
    base: tuple[str, ...]  # folders
    head: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    alone: int = 0


class _Metric(Struct, frozen=True):
    gate: Gate
    figure: Callable[[Report], float | None]


def load(folders: Iterable[Path]) -> tuple[Launch, ...]:
    """The runs in the folders: each is a result folder, or a folder of such.

    Raises `Incomparable` where there is none, or one that cannot be read.
    """
    return tuple(_read(path) for folder in folders for path in _reports(folder))


def study(base: Sequence[Launch], head: Sequence[Launch], gated: Sequence[str] = ()) -> Study:
    """Compare what can be compared; `gated` metrics alone decide where some are named.

    Raises `Incomparable` where the runs differ in more than the server.
    """
    _require_comparable(base, head)
    pairs = _pairs(base, head)
    design = Design.PAIRED if pairs else Design.APART
    remarks = [*_remarks("base", base), *_remarks("head", head)]
    alone = len(base) + len(head) - 2 * len(pairs) if pairs else 0
    if pairs:
        base, head = [one for one, _ in pairs], [other for _, other in pairs]
    metrics = _gated(gated)
    figures = _figures(metrics, base), _figures(metrics, head)
    absent = [
        name for name in figures[0] if name not in gated and not any((*figures[0][name], *figures[1][name]))
    ]
    gates = [metric.gate for metric in metrics if metric.gate.name not in absent]
    comparisons = compare(gates, *figures, design)
    outcome = decide(comparisons)
    return Study(
        outcome=Outcome.UNKNOWN if outcome is Outcome.PASS and remarks else outcome,
        design=design,
        comparisons=comparisons,
        environment=head[0].report.environment,
        plan_digest=head[0].report.plan_digest,
        base=tuple(launch.folder for launch in base),
        head=tuple(launch.folder for launch in head),
        remarks=tuple(remarks),
        alone=alone,
        absent=tuple(absent),
    )


def _reports(folder: Path) -> Sequence[Path]:
    found = [folder / REPORT] if (folder / REPORT).is_file() else sorted(folder.glob(f"*/{REPORT}"))
    if not found:
        raise Incomparable(f"{folder}: no {REPORT} in it, nor in a folder of it")
    return found


def _read(path: Path) -> Launch:
    try:
        return Launch(str(path.parent), read_json(path.read_bytes()))
    except (OSError, ReportError) as error:
        raise Incomparable(f"{path}: {error}") from error


# What may be compared


def _require_comparable(base: Sequence[Launch], head: Sequence[Launch]) -> None:
    folders = [Path(launch.folder).resolve() for launch in (*base, *head)]
    if twice := next((folder for folder in folders if folders.count(folder) > 1), None):
        raise Incomparable(f"{twice}: the same run twice")
    first = base[0]
    for launch in (*base, *head):
        report = launch.report
        if report.cut_short:
            raise Incomparable(f"{launch.folder}: cut short: it is not the load of its plan")
        if not report.plan_digest or not report.environment.fingerprint:
            raise Incomparable(f"{launch.folder}: it does not say of which machine and plan it is")
        ours, others = first.report, report
        if others.environment.fingerprint != ours.environment.fingerprint:
            what = _machines(ours.environment, others.environment)
            raise Incomparable(f"{launch.folder} and {first.folder}: different machines: {what}")
        if others.plan_digest != ours.plan_digest:
            what = _differences(ours.plan, others.plan, but=ELSEWHERE)
            raise Incomparable(f"{launch.folder} and {first.folder}: different plans: {what}")


def _machines(one: Environment, other: Environment) -> str:
    names = ("cpu", "cores", "machine", "system", "python")
    parts = [{name: getattr(of, name) for name in names} | of.packages for of in (other, one)]
    return _differences(*reversed(parts))


def _differences(one: Mapping[str, object], other: Mapping[str, object], but: Sequence[str] = ()) -> str:
    """In what the other differs from the one."""
    keys = [key for key in {**one, **other} if key not in but and one.get(key) != other.get(key)]
    return "; ".join(f"{key} {other.get(key)} and {one.get(key)}" for key in keys) or _UNSAID


def _pairs(base: Sequence[Launch], head: Sequence[Launch]) -> list[tuple[Launch, Launch]]:
    """The launches that ran side by side, where most did; those that lost their partner are left out."""
    left = sorted(head, key=_middle)
    pairs = []
    for launch in sorted(base, key=_middle):
        partner = next((other for other in left if _together(launch, other)), None)
        if partner is not None:
            left.remove(partner)
            pairs.append((launch, partner))
    return pairs if 2 * len(pairs) > max(len(base), len(head)) else []


def _together(one: Launch, other: Launch) -> bool:
    """Whether the middle of each lies within the other."""
    half = min(one.report.duration_s, other.report.duration_s) / 2
    return abs(_middle(one) - _middle(other)) < timedelta(seconds=half)


def _middle(launch: Launch) -> datetime:
    return datetime.fromisoformat(launch.report.environment.started) + timedelta(
        seconds=launch.report.duration_s / 2
    )


def _remarks(side: str, launches: Sequence[Launch]) -> Iterable[str]:
    """A server that breaks rules is no measure of speed, and neither is a run that saw too little."""
    for outcome, what in ((Outcome.FAIL, "broke rules"), (Outcome.UNKNOWN, "came to no verdict")):
        found = [launch for launch in launches if launch.report.outcome is outcome]
        if found:
            yield f"{len(found)} of {len(launches)} launches of {side} {what}: {found[0].folder}"


# What is compared


def _gated(names: Sequence[str]) -> Sequence[_Metric]:
    """All metrics; where some are named, only they decide."""
    unknown = set(names) - {metric.gate.name for metric in METRICS}
    if unknown:
        known = ", ".join(metric.gate.name for metric in METRICS)
        raise Incomparable(f"--gate {unknown.pop()}: no such metric; there are {known}")
    if not names:
        return METRICS
    gates = [
        replace(of.gate, allowed=(of.gate.allowed or _IF_ASKED) if of.gate.name in names else None)
        for of in METRICS
    ]
    return [_Metric(gate, metric.figure) for gate, metric in zip(gates, METRICS, strict=True)]


def _figures(metrics: Sequence[_Metric], launches: Sequence[Launch]) -> dict[str, list[float | None]]:
    return {of.gate.name: [of.figure(launch.report) for launch in launches] for of in metrics}


def _cpu(report: Report) -> float | None:
    return report.server.cpu_per_event_ns if report.server else None


def _memory(report: Report) -> float | None:
    return report.server.rss_bytes if report.server else None


def _rate(report: Report) -> float | None:
    """Events in a typical whole second."""
    return median(report.seconds[_WHOLE_SECONDS] or [0]) or None


def _quantile(metric: Metric, q: float) -> Callable[[Report], float | None]:
    """A quantile where the launch carries it, and no doubt voids it."""

    def figure(report: Report) -> float | None:
        found = (of for of in report.durations if of.name == metric and not of.doubtful)
        return next((at.value_ns for of in found for at in of.quantiles if at.q == q), None)

    return figure


_IF_ASKED: Final = 0.25  # what is allowed of an advisory metric that is made to decide
METRICS: Final = (
    _Metric(Gate("server-cpu-per-event", 0.05), _cpu),
    _Metric(Gate("events-per-second", 0.10, falling=True), _rate),
    _Metric(Gate("first-event-p50", 0.15), _quantile(Metric.FIRST_EVENT, 0.5)),
    _Metric(Gate("delivery-p50", 0.15), _quantile(Metric.DELIVERY, 0.5)),
    _Metric(Gate("first-event-p99"), _quantile(Metric.FIRST_EVENT, 0.99)),
    _Metric(Gate("delivery-p99"), _quantile(Metric.DELIVERY, 0.99)),
    _Metric(Gate("server-memory"), _memory),
)
