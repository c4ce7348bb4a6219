"""Tiny states, and the reports that are drawn from them."""

from collections.abc import Callable, Iterable, Mapping

import pytest
from msgspec.structs import replace

from streamgauge.core.analysis import AnalysisState
from streamgauge.core.checks.extent import LEAKS, Leaks, Losses
from streamgauge.core.checks.state import CheckState
from streamgauge.core.contract import Rule
from streamgauge.core.control import SEEDS, Control, Seeded
from streamgauge.core.finding import Doubt, Finding, Struck, Witness
from streamgauge.core.histogram import Histogram
from streamgauge.core.metrics.goodput import GoodputState
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.metrics.streams import StreamState
from streamgauge.core.ownership import Owner, Owners, digest
from streamgauge.core.strike import Strike
from streamgauge.core.threshold import Level, Threshold, parse
from streamgauge.report.conclude import conclude
from streamgauge.report.model import Environment, Fault, Report, Worker

TOKEN = "sgcanaryAbCdEfGhIjKlMnOpQrSt"
BEGAN_NS = 5_000_000_000
BY_MESSAGE = (Rule.PROTOCOL, Rule.OFFSET_CONTIGUOUS, Rule.ISOLATION_ENVELOPE, Rule.ISOLATION_CANARY)
CAUGHT = Control(
    tuple(
        Seeded(
            name, Strike(fault, 1, 1, f"r-{name}", "partial", 8), (Rule.SEQ_CONTIGUOUS,), Rule.SEQ_CONTIGUOUS
        )
        for name, fault in SEEDS.items()
    )
)


def healthy(runs: int) -> AnalysisState:
    """`runs` runs of twelve events each, a tenth as many users, nothing wrong."""
    users = runs // 10
    delay = Histogram()
    for number in range(runs):
        delay.add(1_000_000 + number * 1_000)
    return AnalysisState(
        checks=CheckState(
            exercised={rule: runs * (12 if rule in BY_MESSAGE else 1) for rule in Rule} if runs else {},
            owners=Owners.of(
                (f"r-{number}", Owner(f"u{number % users}", number % users + 1)) for number in range(runs)
            ),
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
        seconds={5: runs * 5, 7: runs * 7} if runs else {},
        began_ns=BEGAN_NS,
        ended_ns=BEGAN_NS + 4_000_000_000,
        goodput=GoodputState(of=runs, good=runs),
    )


@pytest.fixture(scope="session")
def make() -> Callable[..., Report]:
    """The report of a healthy run, but for what is given."""

    def report(
        *findings: Finding,
        runs: int = 1_000,
        counts: Mapping[str, int] | None = None,
        exercised: Mapping[Rule, int] | None = None,
        masked: Mapping[Rule, int] | None = None,
        seconds: Mapping[int, int] | None = None,
        required: Iterable[Rule] = tuple(Rule),
        plan: Mapping[str, object] | None = None,
        doubts: Iterable[Doubt] = (),
        environment: Environment | None = None,
        goodput: GoodputState | None = None,
        streams: StreamState | None = None,
        thresholds: Iterable[str | Threshold] = (),
        struck: Mapping[Rule, Struck] | None = None,
        losses: Losses | None = None,
        leaks: Leaks | None = None,
        **kwargs: object,
    ) -> Report:
        state = healthy(runs)
        state = replace(state, goodput=goodput or state.goodput, streams=streams or state.streams)
        state.counts.update(counts or {})
        state.checks.exercised.update({str(rule): n for rule, n in (exercised or {}).items()})
        state.checks.unknown.update({str(rule): n for rule, n in (masked or {}).items()})
        state.seconds.update(seconds or {})
        state.checks.struck.update({str(rule): of for rule, of in (struck or {}).items()})
        for rule, of in (struck or {}).items():
            if rule in LEAKS:
                state.checks.leaked.runs[rule] = {digest(f"r-{number}") for number in range(of.runs)}
                state.checks.leaked.untold[rule] = of.more_runs
        state.checks.losses = losses or state.checks.losses
        state.checks.leaks = leaks or state.checks.leaks
        for finding in findings:
            state.checks.add(finding)
        given: dict[str, object] = {"workers": [Worker("w1", 12_000, 1.5, 900_000)], **kwargs}
        return conclude(
            state,
            plan={"scenario": "scenarios/steady.py", "users": 100} if plan is None else plan,
            required=required,
            doubts=doubts,
            environment=environment or where(),
            thresholds=[parse(one) if isinstance(one, str) else one for one in thresholds],
            **given,  # type: ignore[arg-type]  # a test names what conclude takes
        )

    return report


def where(command: str = "streamgauge run steady") -> Environment:
    """Some machine."""
    return Environment(
        "2026-11-22T10:00:00Z", command, "3f2a1c9", "m1", "Linux 6.1", 2, "3.11.9", {"locust": "2.47"}
    )


@pytest.fixture(scope="session")
def environment() -> Callable[..., Environment]:
    return where


@pytest.fixture(scope="session")
def gap() -> Callable[..., Finding]:
    """A lost event, and the events around it."""

    def finding(run: str = "r-7f3a", user: str = "u17", detail: str = "call-1") -> Finding:
        at_ns = BEGAN_NS + 1_500_000_000
        return Finding(
            Rule.SEQ_CONTIGUOUS,
            "gap",
            user=user,
            conn=18,
            at_ns=at_ns,
            run=run,
            request="q-1",
            witnesses=(
                Witness(at_ns - 1_000_000, "thinking", run, 3, 17, 412, "pipeline step 2"),
                Witness(at_ns, "tool_executing", run, 5, 19, 388, detail, guilty=True),
                Witness(at_ns + 1_000_000, "tool_completed", run, 6, 20, 397, f"{detail} ok"),
            ),
            numbers=((4, 4),),
        )

    return finding


@pytest.fixture(scope="session")
def leak() -> Finding:
    """u23's canary on a socket of u17."""
    at_ns = BEGAN_NS + 1_700_000_000
    return Finding(
        Rule.ISOLATION_CANARY,
        "another user's canary",
        user="u17",
        conn=18,
        at_ns=at_ns,
        run="r-7f3a",
        token=f"{TOKEN}23",
        witnesses=(Witness(at_ns, "partial", "r-7f3a", 7, 21, 501, "index 0, 9 B", guilty=True),),
    )


@pytest.fixture(scope="session")
def demanded() -> tuple[Threshold, ...]:
    """Of 1,000 runs: one that holds, one that does not, one with too few samples, one that warns, a rate."""
    return (
        parse("p99(delivery) < 50ms"),
        parse("p50(run) < 1ms"),
        parse("p99.9(run) < 1s"),
        parse("max(lag) < 1us", Level.WARN),
        parse("rate(leaks) == 0"),
    )


@pytest.fixture(scope="session")
def streaming() -> StreamState:
    """Three hundred streams of 20.0 to 20.3 chunks per second."""
    rates = Histogram()
    for number in range(300):
        rates.add(20_000 + number)
    return StreamState(streams=301, chunks=6_020, at_once=1, stalls=3, stalled=2, rates=rates.distribution())


@pytest.fixture(scope="session")
def dead() -> Doubt:
    """A doubt that makes everything unknown."""
    return Doubt("worker 3 sent no state", "", "", "look into its log", "verdict")


@pytest.fixture(scope="session")
def lagging() -> Doubt:
    """A doubt that makes the latency unknown."""
    return Doubt("generator lag p99", "12 ms", "5 ms", "use fewer users a worker", "latency")


@pytest.fixture(scope="session")
def worst(make: Callable[..., Report], gap: Callable[..., Finding], leak: Finding, lagging: Doubt) -> Report:
    """A run that has something for every part of the page."""
    return make(
        *(gap(f"r-{n}") for n in range(40)),
        leak,
        doubts=[replace(lagging, voids="")],
        thresholds=[parse("p99(run) < 1ms"), parse("p99(run) < 1us", Level.WARN), parse("p99.9(run) < 1s")],
        faults=[Fault("drop-event:0.01", 12)],
        control=CAUGHT,
        recordings=["results/x/worker-0.sgr"],
        masked={Rule.TOOL_PAIRING: 3},
    )
