"""The false-alarm study: runs of a correct server under harmless troubles, none of which may fail."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from streamgauge.core.finding import Outcome
from streamgauge.core.interval import zero_upper_bound
from streamgauge.report.model import Report
from streamgauge.study.detection_load import ISOLATION, STEADY, Load, with_changes

LEAST_EVENTS: Final = 1_000  # of a clean run that counts

_PARALLEL: Final = [
    {"do": "think", "text": "Looking in several places"},
    {
        "do": "parallel",
        "steps": [
            {"do": "tool", "name": name, "ms": {"dist": "uniform", "low": 1, "high": 30}, "bytes": 64}
            for name in ("search", "mail", "ledger")
        ],
    },
    {"do": "stream", "chunks": 4, "per_second": 100, "bytes": 24},
    {"do": "result"},
]
_OWN_STEPS: Final = [
    *({"do": "think", "text": f"Step {step} of my own"} for step in range(1, 7)),
    {"do": "tool", "name": "search", "ms": 5, "bytes": 64, "outcome": "error"},
    {"do": "think", "text": "That did not work"},
    {"do": "stream", "chunks": 2, "bytes": 24},
    {"do": "result"},
]
_FAILING: Final = [{"do": "think", "text": "Trying"}, {"do": "fail", "type": "ScriptedFailure"}]


_BRIEF: Final = {"users": 30, "spawn_rate": 200, "duration": 3, "linger": 4}
_INTERVAL: Final = {"kind": "poisson", "interval": 0.3}
_CUT: Final = [{"name": "patient"}, {"name": "cut", "cut_bytes": 8_000}]
_GIVEN_UP: Final = {  # a dead peer is, after three heartbeats and a second
    "serve": ["--heartbeat", "1", "--window", "1", "--drain", "0"],
    "linger": 8,
}
_STALLED: Final = [{"name": "reading", "weight": 5}, {"name": "stalled", "reader": "stalled"}]


class Trouble(Struct, frozen=True):
    """What may trouble a checker and is no fault, and the load that makes it."""

    name: str
    load: Load


TROUBLES: Final = (
    Trouble("none", STEADY),
    Trouble("alike users, cancels, replaced sockets", ISOLATION),
    Trouble("parallel tools", with_changes(STEADY, personas=[{"script": _PARALLEL}])),
    Trouble("the agent's own steps, a failing tool", with_changes(STEADY, personas=[{"script": _OWN_STEPS}])),
    Trouble("cancels", with_changes(STEADY, personas=[{"cancel_share": 0.4, "tabs": 2}])),
    Trouble("users who leave", with_changes(STEADY, personas=[{"leave_share": 0.3}, {}])),
    Trouble("users who speak into a run", with_changes(STEADY, personas=[{"speak_share": 0.5}])),
    Trouble("all at once", with_changes(STEADY, arrivals={"kind": "lockstep", "interval": 0.5}, users=40)),
    Trouble("sockets cut in mid-run", Load("churn", {**_BRIEF, "arrivals": _INTERVAL, "personas": _CUT})),
    # what they leave unread fits into the kernel's buffers and the server's queue
    Trouble(
        "readers who stall, within bounds",
        Load(
            "stalled",
            {**_BRIEF, **_GIVEN_UP, "arrivals": _INTERVAL, "personas": _STALLED, "thresholds": []},
        ),
    ),
    Trouble(
        "agents that fail",
        with_changes(STEADY, personas=[{"script": _FAILING}, {"name": "others", "weight": 3}]),
    ),
)


class CleanRun(Struct, frozen=True, tag="clean"):
    """What came of one clean run; `why` it is not a pass."""

    number: int
    trouble: str
    outcome: Outcome
    events: int = 0
    why: tuple[str, ...] = ()


def trouble(number: int) -> Trouble:
    """The trouble of the run of this number, from 0; they take turns."""
    return TROUBLES[number % len(TROUBLES)]


def hold(number: int, report: Report) -> CleanRun:
    """What a run of a correct server came to; a fail is a false alarm, and too small a run is unknown."""
    events = report.counts.get("events", 0)
    few = events < LEAST_EVENTS and report.outcome is Outcome.PASS
    why = (f"{events:,} events, and {LEAST_EVENTS:,} are needed",) if few else report.reasons
    return CleanRun(
        number, trouble(number).name, Outcome.UNKNOWN if few else report.outcome, events, tuple(why)
    )


def rate_bound(runs: Sequence[CleanRun]) -> float:
    """The 95 % upper bound on the share of clean runs that fail, where none did."""
    return zero_upper_bound(sum(run.outcome is Outcome.PASS for run in runs))
