"""Draws the verdict of a run from what its folds know."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Final, TypeVar

import msgspec
from msgspec.structs import replace

from streamgauge.core.analysis import AnalysisState
from streamgauge.core.checks import verdicts as checks
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Doubt, Outcome, Verdict
from streamgauge.core.histogram import Distribution
from streamgauge.core.interval import least_sample, quantile_ranks, zero_upper_bound
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.metrics.tally import SECOND_NS, shares
from streamgauge.report import wording
from streamgauge.report.model import (
    Bound,
    Duration,
    Environment,
    Fault,
    Quantile,
    Report,
    ShareOf,
    Worker,
)
from streamgauge.report.redact import digest, redacted_tree

QUANTILES: Final = (0.5, 0.9, 0.99, 0.999)
MOST_ITEMS: Final = 1_000  # of any list, and of the counts
MOST_SECONDS: Final = 86_400
MOST_PLAN: Final = 65_536  # bytes of its JSON
_ID: Final = 200  # characters of a string in a finding
_TEXT: Final = 2_000  # of any other
_VOIDS_LATENCY: Final = ("latency", "verdict")  # a void verdict voids everything
_OF_GENERATOR: Final = (Metric.LAG, Metric.SLIP)  # what it says of itself: these are what doubts are made of

Item = TypeVar("Item")


def conclude(  # noqa: PLR0913 - these are the parts of a report
    state: AnalysisState,
    *,
    plan: Mapping[str, object],
    required: Iterable[Rule],
    environment: Environment,
    doubts: Iterable[Doubt] = (),
    cut_short: bool = False,
    faults: Iterable[Fault] = (),
    workers: Iterable[Worker] = (),
    recordings: Iterable[str] = (),
) -> Report:
    """Make the report: fail outranks unknown, and unknown outranks pass.

    `cut_short` is only marked: what was seen until then was seen.
    """
    cuts: list[str] = []
    verdicts = tuple(map(_without_secrets, checks.conclude(state.checks, required)))
    parts = tuple(_share(name, part.good, part.of) for name, part in shares(state.counts).items())
    doubts = _first(doubts, "doubts", cuts)
    counts = _counts(state)
    failures, unknowns = _failures(verdicts, parts), _unknowns(verdicts, parts, doubts)
    duration_s = (state.ended_ns - state.began_ns) / SECOND_NS
    report = Report(
        outcome=Outcome.FAIL if failures else Outcome.UNKNOWN if unknowns else Outcome.PASS,
        reasons=(*failures, *unknowns),
        cut_short=cut_short,
        scenario=PurePath(str(plan.get("scenario", ""))).stem,
        environment=environment,
        plan=_plain(plan, cuts),
        began_ns=state.began_ns,
        duration_s=duration_s,
        counts=dict(_first(sorted(counts.items(), key=_open_names_last), "counts", cuts)),
        shares=parts,
        durations=_durations(state.latencies, doubtful=any(d.voids in _VOIDS_LATENCY for d in doubts)),
        events_per_s=counts["events"] / duration_s if duration_s > 0 else None,
        seconds=_seconds(state, cuts),
        verdicts=verdicts,
        doubts=doubts,
        bounds=_bounds(verdicts, counts),
        faults=_first(faults, "faults", cuts),
        workers=_first(workers, "workers", cuts),
        recordings=_first(recordings, "recordings", cuts),
        cuts=tuple(cuts),
    )
    return msgspec.convert(redacted_tree(msgspec.to_builtins(report), _TEXT), Report)


def _failures(verdicts: Sequence[Verdict], parts: Sequence[ShareOf]) -> list[str]:
    """Leaks first; then the rules in their order, then the shares."""
    failing = [verdict for verdict in verdicts if verdict.outcome is Outcome.FAIL]
    failing.sort(key=lambda verdict: verdict.rule not in wording.ISOLATION)
    return [
        *map(wording.broken, failing),
        *(wording.incomplete(part) for part in parts if part.outcome is Outcome.FAIL),
    ]


def _unknowns(verdicts: Sequence[Verdict], parts: Sequence[ShareOf], doubts: Sequence[Doubt]) -> list[str]:
    """Doubts first: they explain what else is unknown; what a finding masks, that finding explains."""
    return [
        *(wording.doubt(doubt) for doubt in doubts if doubt.voids == "verdict"),
        *(wording.unjudged(v) for v in verdicts if v.required and v.outcome is Outcome.UNKNOWN),
        *(wording.incomplete(part) for part in parts if part.outcome is Outcome.UNKNOWN),
    ]


def _share(name: str, good: int, of: int) -> ShareOf:
    if not of:
        return ShareOf(name, good, of, Outcome.UNKNOWN)
    return ShareOf(name, good, of, Outcome.PASS if good >= of else Outcome.FAIL)


def _counts(state: AnalysisState) -> dict[str, int]:
    """What was tallied, and what only the whole state knows."""
    checks, counts = state.checks, state.counts
    endings = ("runs completed", "runs refused", "runs abandoned", "runs never settled", "runs ended in ")
    return counts | {
        "events": counts.get("events", 0),
        "users": len({*checks.canaries.values(), *checks.owners.values()}),
        "runs": sum(n for name, n in counts.items() if name.startswith(endings)),
    }


def _open_names_last(count: tuple[str, int]) -> tuple[bool, str]:
    """Counts whose names hold words of the server come after the others, where they may be cut."""
    name = count[0]
    return name.startswith(("runs ended in ", "unsent: ")), name


def _durations(latencies: Mapping[str, Distribution], *, doubtful: bool) -> tuple[Duration, ...]:
    """All that were measured, in the order of `Metric`."""
    names = [*(metric for metric in Metric if metric in latencies), *sorted(latencies.keys() - set(Metric))]
    return tuple(
        Duration(
            name=str(name),
            n=of.n,
            mean_ns=of.mean if of.n else None,
            most_ns=of.most if of.n else None,
            quantiles=tuple(_quantile(of, q) for q in QUANTILES),
            distribution=of,
            doubtful=doubtful and name not in _OF_GENERATOR,
        )
        for name in names
        for of in [latencies[name]]
    )


def _quantile(of: Distribution, q: float) -> Quantile:
    needs = least_sample(q)
    ranks = quantile_ranks(q, of.n)
    if ranks is None:
        return Quantile(q, needs=needs)
    low, high = ranks
    return Quantile(q, of.quantile(q), of.at_rank(low), of.at_rank(high), needs)


def _bounds(verdicts: Sequence[Verdict], counts: Mapping[str, int]) -> tuple[Bound, ...]:
    """How rare leaks must be where none was found; leaks cluster, so that the least `n` is the honest one."""
    by_rule = {verdict.rule: verdict for verdict in verdicts}
    if any(by_rule[rule].found for rule in wording.ISOLATION):
        return ()
    looked = max(by_rule[rule].exercised for rule in wording.ISOLATION)
    trials = {
        "message": looked,
        "run": by_rule[Rule.ECHO].exercised if looked else 0,  # every run of which anything arrived
        "connection": counts.get("connections", 0) if looked else 0,
    }
    return tuple(Bound(unit, n, zero_upper_bound(n)) for unit, n in trials.items() if n)


def _seconds(state: AnalysisState, cuts: list[str]) -> tuple[int, ...]:
    if not state.seconds:
        return ()
    first, last = min(*state.seconds, state.began_ns // SECOND_NS), max(state.seconds)
    seconds = range(first, last + 1)
    if len(seconds) > MOST_SECONDS:
        cuts.append(f"seconds: the first {MOST_SECONDS:,} of {len(seconds):,}")
    return tuple(state.seconds.get(second, 0) for second in seconds[:MOST_SECONDS])


def _plain(plan: Mapping[str, object], cuts: list[str]) -> dict[str, object]:
    """The plan as plain JSON, so that reading the report gives the same report again."""
    tree = msgspec.to_builtins(dict(plan), enc_hook=str)
    encoded = msgspec.json.encode(redacted_tree(tree, _TEXT, by_name=True))
    if len(encoded) > MOST_PLAN:
        cuts.append(f"plan: all of its {len(encoded):,} bytes")
        return {}
    return msgspec.json.decode(encoded, type=dict[str, object])


def _first(items: Iterable[Item], name: str, cuts: list[str]) -> tuple[Item, ...]:
    items = tuple(items)
    if len(items) > MOST_ITEMS:
        cuts.append(f"{name}: the first {MOST_ITEMS:,} of {len(items):,}")
    return items[:MOST_ITEMS]


def _without_secrets(verdict: Verdict) -> Verdict:
    """The verdict with digests in place of canaries, and its strings short."""
    hidden = replace(verdict, findings=tuple(replace(f, token=digest(f.token)) for f in verdict.findings))
    return msgspec.convert(redacted_tree(msgspec.to_builtins(hidden), _ID), Verdict)
