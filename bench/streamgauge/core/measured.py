"""What a threshold may speak of, by its name, and what a run measured of it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from streamgauge.core.analysis import AnalysisState
from streamgauge.core.checks.verdicts import placed_leaks
from streamgauge.core.contract import Rule
from streamgauge.core.finding import LATENCY, VERDICT, Doubt, Verdict
from streamgauge.core.histogram import Distribution
from streamgauge.core.memory import Series, growth
from streamgauge.core.metrics import tally
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.metrics.streams import CHUNK_GAP

DURATIONS: Final[dict[str, str]] = {
    "connect": Metric.CONNECT,
    "accepted": Metric.ACCEPTED,
    "first_event": Metric.FIRST_EVENT,
    "first_thought": Metric.FIRST_THOUGHT,
    "first_chunk": Metric.FIRST_CHUNK,
    "delivery": Metric.DELIVERY,
    "delivery_bound": Metric.DELIVERY_BOUND,
    "lag": Metric.LAG,
    "slip": Metric.SLIP,
    "silence": Metric.SILENCE,
    "run": Metric.RUN,
    "chunk_gap": CHUNK_GAP,
}
CHUNK_RATE: Final = "chunk_rate"  # chunks per second, by stream
RATES: Final = (
    "leaks",
    "lost",
    "duplicates",
    "reordered",
    "malformed",
    "errors",
    "refused",
    "abandoned",
    "unsent",
    "stalls",
)
SHARES: Final = ("goodput_share", "full_sequence", "thinking", "delivery_success")
FIGURES: Final = ("goodput", "events_per_s", "runs_per_s")
SIZES: Final = ("server_memory", "server_memory_growth", "worker_memory_growth")
SERVER: Final = "server"  # the name of its series of memory; all others are workers

_SHARE_OF: Final = {
    "full_sequence": "runs with the full sequence",
    "thinking": "runs with thinking",
    "delivery_success": "delivery success",
}
_ISOLATION: Final = (Rule.ISOLATION_CANARY, Rule.ISOLATION_ENVELOPE)
OF_GENERATOR: Final = (Metric.LAG, Metric.SLIP)  # what it says of itself: these are what doubts are made of
BETWEEN_CLOCKS: Final = (Metric.DELIVERY, Metric.DELIVERY_BOUND)  # from the server's stamp to ours


class Ratio(Struct, frozen=True):
    """So many of so many."""

    hits: int
    of: int


class Figure(Struct, frozen=True):
    """So much a second, made of `n` things."""

    per_s: float
    n: int


class Size(Struct, frozen=True):
    """So many bytes, of `n` looks."""

    bytes: int
    n: int


class Measured(Struct, frozen=True):
    """What was measured, by the names that thresholds use.

    `bounds` holds how far off a value may be. `void` names the doubt that keeps a value
    from saying anything. `holes` is a doubt that voids the verdict: what was counted then
    was there, but may not be all.
    """

    durations: Mapping[str, Distribution] = {}
    chunk_rate: Distribution = Distribution()  # in thousandths of a chunk per second
    ratios: Mapping[str, Ratio] = {}  # rates and shares
    figures: Mapping[str, Figure] = {}
    void: Mapping[str, str] = {}
    bounds: Mapping[str, int] = {}  # of durations: how far off each value may be, in ns
    holes: str = ""
    sizes: Mapping[str, Size] = {}


def measured(
    state: AnalysisState,
    verdicts: Iterable[Verdict],
    doubts: Iterable[Doubt],
    memory: Iterable[Series] = (),
) -> Measured:
    """Gather what thresholds may speak of from what the folds know."""
    doubts = tuple(doubts)
    holes = next((doubt.name for doubt in doubts if doubt.voids == VERDICT), "")
    untimely = holes or next((doubt.name for doubt in doubts if doubt.voids == LATENCY), "")
    seconds = (state.ended_ns - state.began_ns) / tally.SECOND_NS
    counts = state.counts
    amounts = {
        "goodput": Figure(state.goodput.good, state.goodput.of),
        "events_per_s": Figure(counts.get("events", 0), counts.get("events", 0)),
        "runs_per_s": Figure(tally.runs(counts), tally.runs(counts)),
    }
    return Measured(
        durations={
            name: state.latencies[metric] for name, metric in DURATIONS.items() if metric in state.latencies
        },
        chunk_rate=state.streams.rates,
        ratios=dict(_ratios(state, {verdict.rule: verdict for verdict in verdicts})),
        figures={name: Figure(of.per_s / seconds, of.n) for name, of in amounts.items()}
        if seconds > 0
        else {},
        void={
            **(dict.fromkeys(_timed(state), untimely) if untimely else {}),
            **(dict.fromkeys((*FIGURES, *DURATIONS), holes) if holes else {}),
        },
        bounds={
            name: state.clock_bound_ns
            for name, metric in DURATIONS.items()
            if metric in BETWEEN_CLOCKS and state.clock_bound_ns
        },
        holes=holes,
        sizes=dict(_sizes(tuple(memory))),
    )


def _sizes(memory: Iterable[Series]) -> Iterator[tuple[str, Size]]:
    """The server's peak, also over what it was before the first user; of workers the one that grew most."""
    grown = []
    for series in memory:
        n = len(series.points)
        if series.name != SERVER:
            if (more := growth(series.points)) is not None:
                grown.append(Size(more, n))
        elif n:
            peak = max(size for _, size in series.points)
            yield "server_memory", Size(peak, n)
            yield "server_memory_growth", Size(peak - series.points[0][1], n)
    if grown:
        yield "worker_memory_growth", max(grown, key=lambda size: size.bytes)


def _timed(state: AnalysisState) -> Iterator[str]:
    """What says nothing where latencies are void."""
    yield from (name for name, metric in DURATIONS.items() if metric not in OF_GENERATOR)
    yield from (CHUNK_RATE, "stalls")
    if state.goodput.beyond:
        yield from ("goodput", "goodput_share")


def hits(counts: Mapping[str, int], *, leaks: int, stalled: int) -> dict[str, int]:
    """What the rates count, by their names, as far as it is known: also in mid-run."""
    return {
        "leaks": leaks,
        "lost": counts.get("events lost", 0),
        "duplicates": counts.get("events repeated", 0),
        "reordered": counts.get("events reordered", 0),
        "malformed": counts.get("malformed messages", 0),
        "errors": counts.get("runs expected whole", 0) - counts.get("runs with a result", 0),
        "refused": counts.get("runs refused", 0),
        "abandoned": counts.get("runs abandoned", 0),
        "unsent": counts.get("requests unsent", 0),
        "stalls": stalled,
    }


def _ratios(state: AnalysisState, verdicts: Mapping[Rule, Verdict]) -> Iterator[tuple[str, Ratio]]:
    counts, streams, goodput = state.counts, state.streams, state.goodput

    def count(name: str) -> int:
        return counts.get(name, 0)

    promised = [verdict.rule for verdict in verdicts.values() if verdict.promised]
    looked = max((verdicts[rule].exercised for rule in _ISOLATION if rule in verdicts), default=0)
    hit = hits(counts, leaks=placed_leaks(state.checks, promised).messages, stalled=streams.stalled)
    numbered = count("events numbered")
    of = {
        "leaks": looked,
        "lost": numbered - hit["duplicates"] + hit["lost"],
        "duplicates": numbered,
        "reordered": numbered,
        "malformed": count("messages") + hit["malformed"],
        "errors": count("runs expected whole"),
        "refused": tally.runs(counts),
        "abandoned": tally.runs(counts),
        "unsent": count("requests") + hit["unsent"],
        "stalls": streams.streams,
    }
    yield from ((name, Ratio(hit[name], of[name])) for name in RATES)
    yield "goodput_share", Ratio(goodput.good, goodput.of)
    shares = tally.shares(counts, promised)
    yield from (
        (name, Ratio(shares[share].good, shares[share].of))
        for name, share in _SHARE_OF.items()
        if share in shares
    )
