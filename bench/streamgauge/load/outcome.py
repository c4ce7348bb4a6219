"""Concludes a run: shares of all workers in, a result folder and an exit code out."""

import os
import platform
import sys
from datetime import UTC, datetime
from functools import reduce
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import msgspec
from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

from streamgauge.core.doubt import doubts
from streamgauge.core.metrics.latency import Metric
from streamgauge.exit_code import INCONCLUSIVE, OF_OUTCOME
from streamgauge.load.bench import Share
from streamgauge.plan import PLAN_FILE, Plan, dump_plan
from streamgauge.report.conclude import conclude
from streamgauge.report.model import Environment, Fault, Report, Worker
from streamgauge.report.render_json import render_json
from streamgauge.report.render_junit import render_junit
from streamgauge.report.render_markdown import render_markdown
from streamgauge.report.render_text import render_text
from streamgauge.results import revision

_PACKAGES: Final = ("streamgauge", "locust", "gevent", "websockets", "msgspec", "numpy")
COMMAND_VARIABLE: Final = "STREAMGAUGE_COMMAND"  # what the user typed, where a command started us


class Outcome(Struct, frozen=True):
    """What to print last, and how to exit."""

    text: str
    exit_code: int


def conclude_run(plan: Plan, folder: Path, shares: list[Share], *, missing: int, cut_short: bool) -> Outcome:
    """Merge, judge and write everything; a report that cannot be written is said, and printed."""
    if not shares:
        return Outcome("UNKNOWN  no worker brought its share: nothing was measured\n", INCONCLUSIVE)
    state = reduce(lambda one, other: one.merge(other), (share.state for share in shares))
    unconnected: dict[str, int] = {}
    for share in shares:
        for why, count in share.unconnected.items():
            unconnected[why] = unconnected.get(why, 0) + count
    report = conclude(
        state,
        plan=msgspec.to_builtins(plan),
        required=plan.required,
        environment=_environment(),
        doubts=tuple(
            doubts(
                state.counts,
                state.latencies,
                unconnected=unconnected,
                missing_workers=missing,
                troubles=tuple(trouble for share in shares for trouble in share.troubles),
                clock_steps=sum(share.clock_steps for share in shares),
            )
        ),
        cut_short=cut_short,
        faults=_strikes(plan),
        workers=tuple(_worker(share) for share in shares),
        recordings=tuple(str(Path(share.recording)) for share in shares),
    )
    note = _write(report, plan, folder)
    return Outcome(note + render_text(report, path=str(folder / "report.md")), OF_OUTCOME[report.outcome])


def _write(report: Report, plan: Plan, folder: Path) -> str:
    """Write the files of the result folder; what could not be written, as text."""
    files = {
        "report.json": render_json(report),
        "report.md": render_markdown(report).encode(),
        "junit.xml": render_junit(report),
        PLAN_FILE: dump_plan(plan).encode(),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        return f"{folder}: the report could not be written: {error.strerror}\n"
    return ""


def _worker(share: Share) -> Worker:
    lag = share.state.latencies[Metric.LAG]
    return Worker(
        name=share.worker,
        messages=share.state.counts.get("messages", 0),
        cpu_s=share.cpu_s,
        lag_p99_ns=lag.quantile(0.99) if lag.n else None,
    )


def _environment() -> Environment:
    return Environment(
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        command=os.environ.get(COMMAND_VARIABLE) or " ".join(["locust", *sys.argv[1:]]),
        revision=revision(Path.cwd()),
        machine=platform.machine(),
        system=platform.platform(),
        cores=os.cpu_count() or 0,
        python=platform.python_version(),
        packages={name: version(name) for name in _PACKAGES},
    )


def _strikes(plan: Plan) -> tuple[Fault, ...]:
    """How often the faults struck that our own server was told to commit, by its own count."""
    if not plan.faults:
        return ()
    struck: dict[str, int] = {}
    try:
        with urlopen(f"http://{urlsplit(plan.target).netloc}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    except (URLError, OSError):
        return tuple(Fault(fault, None) for fault in plan.faults)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "streamgauge_server_fault_strikes_total":
                struck[sample.labels["fault"]] = int(sample.value)
    return tuple(Fault(fault, struck.get(fault.split(":")[0], 0)) for fault in plan.faults)
