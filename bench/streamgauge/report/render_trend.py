"""One run as one line of `results/trend.jsonl`: what is worth following from run to run."""

from typing import Final

import msgspec

from streamgauge.core.metrics.latency import Metric
from streamgauge.report.model import Duration, Report

TREND_FILE: Final = "trend.jsonl"  # beside the result folders
_FOLLOWED: Final = (Metric.FIRST_EVENT, Metric.DELIVERY, Metric.RUN)


def render_trend(report: Report, folder: str) -> bytes:
    """The line, with its end; runs of one `machine` and one `plan` can be followed (docs/compare.md)."""
    environment, server = report.environment, report.server
    line = {
        "started": environment.started,
        "revision": environment.revision,
        "machine": environment.fingerprint,
        "plan": report.plan_digest,
        "scenario": report.scenario,
        "outcome": report.outcome,
        "cut_short": report.cut_short,
        "findings": sum(verdict.found for verdict in report.verdicts),
        "users": report.counts.get("users", 0),
        "events": report.counts.get("events", 0),
        "events_per_s": report.events_per_s,
        "server_cpu_per_event_ns": server.cpu_per_event_ns if server else None,
        "durations": _durations(report),
        "folder": folder,
    }
    return msgspec.json.encode(line) + b"\n"


def _durations(report: Report) -> dict[str, dict[str, int | bool]]:
    """Of those followed n and, where the sample carries them, p50 and p99."""
    followed = [duration for duration in report.durations if duration.name in _FOLLOWED]
    return {duration.name: _quantiles(duration) | {"n": duration.n} for duration in followed}


def _quantiles(of: Duration) -> dict[str, int | bool]:
    carried = {at.q: at.value_ns for at in of.quantiles if at.value_ns is not None}
    values: dict[str, int | bool] = {f"p{q * 100:g}_ns": carried[q] for q in (0.5, 0.99) if q in carried}
    return values | ({"doubtful": True} if of.doubtful else {})
