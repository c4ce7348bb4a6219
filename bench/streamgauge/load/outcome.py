"""Concludes a run: shares of all workers in, a result folder and an exit code out."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path

import msgspec
from msgspec import Struct

from streamgauge.core.analysis import AnalysisState
from streamgauge.core.doubt import doubts
from streamgauge.core.memory import Series
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.resources import ServerAccount
from streamgauge.core.timeline import Origin, aligned, time_of_day
from streamgauge.core.vitals import Process
from streamgauge.environment import environment
from streamgauge.exit_code import FAIL, INCONCLUSIVE, OF_OUTCOME
from streamgauge.load.bench import Share
from streamgauge.load.control import await_control
from streamgauge.load.server_metrics import Inquiry, always
from streamgauge.plan import ATTACK, PLAN_FILE, Plan, digest, dump_plan
from streamgauge.recordings import around
from streamgauge.report.conclude import conclude
from streamgauge.report.files import render_files
from streamgauge.report.model import Fault, Report
from streamgauge.report.render_text import render_text
from streamgauge.report.render_trend import TREND_FILE, render_trend
from streamgauge.report.worker import worker
from streamgauge.results import (
    SERVER_FILE,
    TREND_VARIABLE,
    append_line,
    read_campaign,
    write_whole,
)


class Outcome(Struct, frozen=True):
    """What to print last, and how to exit."""

    text: str
    exit_code: int


def conclude_run(  # noqa: PLR0913 - these are what a run may come to
    plan: Plan,
    folder: Path,
    shares: list[Share],
    *,
    missing: Sequence[str] = (),
    changed: Sequence[str] = (),
    cut_short: bool,
    aborted: str = "",
    inquiry: Inquiry | None = None,
    there_is_time: Callable[[], bool] = always,
) -> Outcome:
    """Merge, judge and write everything; a report that cannot be written is said, and printed.

    Waits until the server is at rest, as long as the plan has it and `there_is_time`.
    `missing` workers never brought their share, `changed` ones came or left in mid-run;
    `aborted` is why the run stopped by itself; `inquiry` holds what the measured server said of itself.
    """
    if not shares:
        lost = f", missing are {', '.join(missing)}" if missing else ""
        return Outcome(f"UNKNOWN  no worker brought its share: nothing was measured{lost}\n", INCONCLUSIVE)
    shares = sorted(shares, key=lambda share: share.recording)  # as `streamgauge check` reads them
    state = reduce(AnalysisState.merge, aligned((share.state, share.origin) for share in shares))
    unconnected: dict[str, int] = {}
    for share in shares:
        for why, count in share.unconnected.items():
            unconnected[why] = unconnected.get(why, 0) + count
    attack = read_campaign(folder) if plan.name == ATTACK else None
    inquiry = inquiry or Inquiry(plan.target)
    inquiry.all_is_over(there_is_time)
    account = inquiry.account()
    rows, unread = around((Path(share.recording), share.origin) for share in shares)
    report = conclude(
        state,
        plan=msgspec.to_builtins(plan),
        required=plan.needed,
        promises=plan.promises,
        thresholds=plan.gates,
        environment=environment(_start_of(state, shares[0].origin)),
        doubts=tuple(
            doubts(
                state.counts | {"users": state.checks.users},
                state.latencies,
                unconnected=unconnected,
                missing_workers=missing,
                changed_workers=changed,
                troubles=tuple(trouble for share in shares for trouble in share.troubles),
                clock_steps=sum(share.clock_steps for share in shares),
                aborted=aborted,
                planned=0 if cut_short else plan.users,
                limits=plan.doubts,
                processes=tuple(map(_process, shares)),
                course=state.course,
                load_ns=plan.load_ns if plan.is_steady else None,
                most_runs=plan.most_runs,
                clock_bound_ns=state.clock_bound_ns,
                least_ahead_ns=state.least_ahead_ns,
            )
        ),
        cut_short=cut_short,
        faults=_strikes(plan, inquiry),
        workers=tuple(worker(each.worker, each.state, each.cpu_s, each.vitals) for each in shares),
        recordings=tuple(str(Path(share.recording)) for share in shares),
        server=inquiry.cost(state.counts.get("events", 0)),
        plan_digest=digest(plan),
        epoch_ns=shares[0].origin.epoch_ns,
        rows=rows,
        unread=unread,
        control=await_control(folder) if plan.control else None,
        attack=attack,
        account=account,
        memory=tuple(Series(share.worker, share.vitals.memory) for share in shares if share.vitals),
    )
    code = OF_OUTCOME[report.outcome]
    if problem := _write(report, plan, folder, account):
        # nobody can look a pass up that is written nowhere; a failure stays one
        return Outcome(problem + render_text(report), code if code == FAIL else INCONCLUSIVE)
    trend = Path(os.environ.get(TREND_VARIABLE) or folder.parent / TREND_FILE)
    note = _note(trend, render_trend(report, os.path.relpath(folder, trend.parent)))
    return Outcome(note + render_text(report, path=str(folder / "report.md")), code)


def _write(report: Report, plan: Plan, folder: Path, account: ServerAccount | None) -> str:
    """Write the files of the result folder; what could not be written, as text."""
    try:
        (folder / SERVER_FILE).parent.mkdir(parents=True, exist_ok=True)
        for name, content in render_files(report).items():
            write_whole(folder / name, content)
        if account is not None:
            write_whole(folder / SERVER_FILE, msgspec.json.encode(account))
        if not (folder / PLAN_FILE).exists():  # a command that started us has put its own there
            write_whole(folder / PLAN_FILE, dump_plan(plan).encode())
    except OSError as error:
        return f"{folder}: the report could not be written: {error.strerror}\n"
    return ""


def _note(trend: Path, line: bytes) -> str:
    """Add a run to the trend; what could not be added, as text."""
    try:
        append_line(trend, line)
    except OSError as error:
        return f"{trend}: no line could be added: {error.strerror}\n"
    return ""


def _process(share: Share) -> Process:
    return Process(share.worker, share.vitals, share.state.latencies[Metric.FIRST_EVENT])


def _start_of(state: AnalysisState, origin: Origin) -> datetime:
    """When the run began; where its clock cannot tell: now, less what it took."""
    took = timedelta(microseconds=(state.ended_ns - state.began_ns) // 1000)
    return time_of_day(origin, state.began_ns) or datetime.now(UTC) - took


def _strikes(plan: Plan, inquiry: Inquiry) -> tuple[Fault, ...]:
    """How often the faults struck that our own server was told to commit, by its own count."""
    said = inquiry.all_that_was_said()
    if said is None:
        return tuple(Fault(fault, None) for fault in plan.faults)
    names = ((fault, fault.split(":")[0]) for fault in plan.faults)
    return tuple(
        Fault(fault, said.strikes.get(name, 0), said.opportunities.get(name)) for fault, name in names
    )
