"""Tiny reports of launches, and the folders that hold them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from streamgauge.core.finding import Outcome
from streamgauge.core.histogram import Histogram
from streamgauge.core.metrics.latency import Metric
from streamgauge.report.model import Duration, Environment, Goodput, Quantile, Report, ServerCost, Streams
from streamgauge.report.render_json import render_json

BEGAN = datetime(2026, 11, 23, 8, tzinfo=UTC)
NOTHING = Histogram().distribution()
MACHINE = Environment(
    BEGAN.isoformat(),
    "streamgauge run",
    "3f2a1c9",
    "x86_64",
    "Linux-6.1",
    2,
    "3.11.7",
    {"locust": "2.47.0"},
    cpu="AMD EPYC",
    fingerprint="2c9b191aa582",
)


def launch(
    at_s: float,
    cpu_ns: float | None = 80_000,
    *,
    p50_ns: int = 2_000_000,
    per_second: int = 2_000,
    outcome: Outcome = Outcome.PASS,
    **fields: object,
) -> Report:
    """One run of 4 s that began `at_s` after the first."""
    durations = tuple(
        Duration(metric, 1_000, 2e6, 9_000_000, (Quantile(0.5, p50_ns), Quantile(0.99, 9 * p50_ns)), NOTHING)
        for metric in (Metric.FIRST_EVENT, Metric.DELIVERY)
    )
    report = Report(
        outcome=outcome,
        reasons=(),
        cut_short=False,
        scenario="steady",
        environment=replace(MACHINE, started=(BEGAN + timedelta(seconds=at_s)).isoformat()),
        plan={"users": 100, "target": f"ws://127.0.0.1:{8000 + at_s:g}/ws"},
        began_ns=0,
        duration_s=4.0,
        counts={"events": 3 * per_second, "users": 100},
        shares=(),
        thresholds=(),
        goodput=Goodput(0, 0, None, None, None, 0, 0, {}),
        streams=Streams(10**9, 0, 0, 0, 0, 0, (), NOTHING),
        durations=durations,
        events_per_s=per_second * 0.75,
        seconds=(100, per_second, per_second, per_second, 50),
        verdicts=(),
        doubts=(),
        bounds=(),
        server=None if cpu_ns is None else ServerCost(1.0, 5_000, cpu_ns, 54_000_000),
        plan_digest="06dd6e538484",
    )
    return replace(report, **fields)


def side_by_side(base: Sequence[float], head: Sequence[float]) -> tuple[list[Report], list[Report]]:
    """Launches in pairs, of these costs of an event in ns; 10 s from pair to pair."""
    return (
        [launch(10 * pair, cost) for pair, cost in enumerate(base)],
        [launch(10 * pair + 0.5, cost) for pair, cost in enumerate(head)],
    )


def store(reports: Sequence[Report], where: Path) -> Path:
    """Write each into a result folder of its own."""
    for number, report in enumerate(reports):
        folder = where / f"run-{number:02}"
        folder.mkdir(parents=True)
        (folder / "report.json").write_bytes(render_json(report))
    return where
