"""Tiny states, and the reports that are drawn from them."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from streamgauge.core.analysis import AnalysisState
from streamgauge.core.checks.fold import CheckState
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Doubt, Finding, Witness
from streamgauge.core.histogram import Histogram
from streamgauge.core.metrics.latency import Metric
from streamgauge.report.conclude import conclude
from streamgauge.report.model import Environment, Fault, Report, Worker

TOKEN = "sgcanaryAbCdEfGhIjKlMnOpQrSt"
BEGAN_NS = 5_000_000_000

Make = Callable[..., Report]


def healthy(runs: int = 1_000) -> AnalysisState:
    """`runs` runs of twelve events each, a tenth as many users, nothing wrong."""
    users = runs // 10
    delay = Histogram()
    for number in range(runs):
        delay.add(1_000_000 + number * 1_000)
    by_message = (Rule.PROTOCOL, Rule.OFFSET_CONTIGUOUS, Rule.ISOLATION_ENVELOPE, Rule.ISOLATION_CANARY)
    return AnalysisState(
        checks=CheckState(
            exercised={rule: runs * 12 if rule in by_message else runs for rule in Rule},
            owners={f"r-{number}": f"u{number % users}" for number in range(runs)} if users else {},
            canaries={f"{TOKEN}{number}": f"u{number}" for number in range(users)},
        ),
        latencies={metric: delay.distribution() for metric in Metric},
        counts={
            "events": runs * 12,
            "requests": runs,
            "connections": users,
            "runs completed": runs,
            "runs expected whole": runs,
            "runs with the full sequence": runs,
            "runs with thinking": runs,
            "runs with a result": runs,
        },
        seconds={5: runs * 5, 6: runs * 7},
        began_ns=BEGAN_NS,
        ended_ns=BEGAN_NS + 2_000_000_000,
    )


def found(*findings: Finding, state: AnalysisState | None = None) -> AnalysisState:
    """A state, healthy but for these findings."""
    state = state or healthy()
    for finding in findings:
        state.checks.add(finding)
    return state


def counted(state: AnalysisState, **counts: int) -> AnalysisState:
    """The state with other counts: `runs_with_thinking=999`."""
    return replace(state, counts=state.counts | {name.replace("_", " "): n for name, n in counts.items()})


GAP = Finding(
    Rule.SEQ_CONTIGUOUS,
    "gap: seq 4 never came",
    user="u17",
    conn=18,
    at_ns=BEGAN_NS + 1_500_000_000,
    run="r-7f3a",
    request="q-1",
    witnesses=(
        Witness(BEGAN_NS + 1_400_000_000, "thinking", "r-7f3a", 3, 17, 412, "pipeline step 2"),
        Witness(BEGAN_NS + 1_500_000_000, "tool_executing", "r-7f3a", 5, 19, 388, "call-1", guilty=True),
        Witness(BEGAN_NS + 1_600_000_000, "tool_completed", "r-7f3a", 6, 20, 397, "call-1 ok"),
    ),
)
LEAK = Finding(
    Rule.ISOLATION_CANARY,
    "another user's canary",
    user="u17",
    conn=18,
    at_ns=BEGAN_NS + 1_700_000_000,
    run="r-7f3a",
    token=f"{TOKEN}23",
    witnesses=(Witness(BEGAN_NS + 1_700_000_000, "partial", "r-7f3a", 7, 21, 501, guilty=True),),
)
DEAD = Doubt("worker 3 sent no state", "", "", "Look into its log.", "verdict")
LAGGING = Doubt("generator lag p99", "12 ms", "5 ms", "Use fewer users a worker.", "latency")
ENVIRONMENT = Environment(
    "2026-11-22T10:00:00Z", "streamgauge run steady", "3f2a1c9", "m1", "Linux 6.1", 2, "3.11.9", {"locust": "2.47"}
)


@pytest.fixture
def make() -> Make:
    """Conclude a state, with everything else as in a plain run."""

    def report(state: AnalysisState | None = None, **kwargs: object) -> Report:
        given: dict[str, object] = {
            "plan": {"scenario": "steady", "users": 100},
            "required": list(Rule),
            "environment": ENVIRONMENT,
            "workers": [Worker("w1", 12_000, 1.5, 900_000)],
            "recordings": ["recording"],
            **kwargs,
        }
        return conclude(state or healthy(), **given)  # type: ignore[arg-type]  # names are checked at run time

    return report


__all__ = ["DEAD", "ENVIRONMENT", "GAP", "LAGGING", "LEAK", "TOKEN", "Fault"]
