"""What one run's report says as a step of the search: kept, or what kept it from being kept.

Refusals come first: a server that says no says so whatever the generator is like. Then
the generator: where it was ill, or as good as all of a core was used, nothing that was
late or missing is the target's. Only then the target.
"""

import math
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from streamgauge.core.finding import LATENCY, VERDICT, Doubt, Outcome
from streamgauge.core.metrics.tally import SECOND_NS
from streamgauge.core.threshold import Level
from streamgauge.report import quantity, wording
from streamgauge.report.model import Report
from streamgauge.study.capacity import Result, Step

BUSY: Final = 0.85  # of a core: a worker that is single-threaded has no more to give
_NOT_CONNECTED: Final = "users not connected"
_OF_TARGET: Final = (
    *("users connected", "connections lost", "requests unsent", "stopped early", "events"),
    *("warm-up", "not steady"),
)
_OF_NOBODY: Final = (
    "clock",
    "clock set",
    "kernel stamps missing",
    "inexact stamps",
    "too few samples",
    "workers changed",
)
_REFUSED: Final = re.compile(r"HTTP \d{3}|Connection refused")
_OWN_LACK: Final = re.compile(r"Cannot assign requested address|Too many open files")
_NS: Final = 1e-9


def read_step(report: Report, folder: str = "") -> Step:
    """The step that this report is of."""
    result, why = _result(report)
    rate = _steady_rate(report)
    cost = report.server.cpu_per_event_ns if report.server else None
    events, cpu_s = report.counts.get("events", 0), sum(worker.cpu_s for worker in report.workers)
    return Step(
        users=int(_planned(report, "users", 0)),
        result=result,
        why=why,
        connected=report.counts.get("users", 0),
        events_per_s=rate,
        server_cpu=None if cost is None else cost * _NS * rate,
        server_rss_bytes=report.server.rss_bytes if report.server else None,
        # of a run that has a ramp and a drain, too: what its events took, at the rate of the load
        generator_cpu=cpu_s / events * rate if report.workers and events else None,
        busiest_worker=_busiest(report),
        thresholds=report.thresholds,
        folder=folder,
    )


def _result(report: Report) -> tuple[Result, str]:
    """What it came to, and why in one line."""
    if report.outcome is Outcome.PASS:
        return Result.KEPT, ""
    for result, reasons in (
        (Result.REFUSALS, _refusals(report)),
        (Result.GENERATOR, _generator(report)),
        (Result.REFUSALS, _unconnected(report)),
        (Result.TARGET, _target(report)),
    ):
        if why := next(reasons, ""):
            return result, why
    return Result.UNMEASURED, next(iter(report.reasons), "")


def _refusals(report: Report) -> Iterator[str]:
    """Where the server said no in so many words."""
    yield from (said for said in _unconnected(report) if _REFUSED.search(said))
    if refused := report.counts.get("runs refused", 0):
        yield f"{quantity.some(refused, 'run')} refused"


def _unconnected(report: Report) -> Iterator[str]:
    yield from (wording.doubt(doubt) for doubt in report.doubts if doubt.name == _NOT_CONNECTED)


def _generator(report: Report) -> Iterator[str]:
    """What the generator could not do."""
    yield from (said for said in _unconnected(report) if _OWN_LACK.search(said))
    known = (_NOT_CONNECTED, *_OF_TARGET, *_OF_NOBODY)
    # a doubt that is not known here is none of the target's: better no limit than a wrong one
    yield from (wording.doubt(one) for one in _voiding(report) if one.name not in known)
    busiest = _busiest(report)
    if busiest is not None and busiest > BUSY:
        yield f"a generator process took {quantity.percent(busiest)} of a core (limit {BUSY * 100:.0f} %)"


def _target(report: Report) -> Iterator[str]:
    """Rules that were broken, shares, thresholds that did not hold, then doubts about the target."""
    for verdict in report.verdicts:
        if verdict.outcome is Outcome.FAIL:
            yield wording.broken(verdict)
    for result in report.thresholds:
        if result.outcome is Outcome.FAIL and result.threshold.level is Level.FAIL:
            yield wording.threshold(result)
    yield from (wording.incomplete(part) for part in report.shares if part.outcome is Outcome.FAIL)
    yield from (wording.doubt(doubt) for doubt in _voiding(report) if doubt.name in _OF_TARGET)


def _voiding(report: Report) -> Iterator[Doubt]:
    return (doubt for doubt in report.doubts if doubt.voids in (LATENCY, VERDICT))


def _busiest(report: Report) -> float | None:
    """The largest part of a core that one worker took while there was load."""
    load_s = min(report.duration_s, _planned(report, "duration", report.duration_s))
    if not report.workers or load_s <= 0:
        return None
    return max(worker.cpu_s for worker in report.workers) / load_s


def _steady_rate(report: Report) -> float:
    """Events per second in the whole seconds while all users were there; else over the whole run."""
    ramp_s = _planned(report, "users", 0) / _planned(report, "spawn_rate", math.inf)
    begun_s = report.began_ns % SECOND_NS * _NS
    first = math.ceil(ramp_s + begun_s)
    last = math.floor(begun_s + min(report.duration_s, _planned(report, "duration", report.duration_s)))
    steady = tuple(islice(report.seconds, first, max(first, last)))
    return sum(steady) / len(steady) if steady else report.events_per_s or 0.0


def _planned(report: Report, key: str, default: float) -> float:
    """A number of the plan."""
    value = report.plan.get(key, default)
    return value if isinstance(value, int | float) else default
