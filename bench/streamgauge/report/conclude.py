"""Draws the verdict of a run from what its folds know."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import PurePath
from typing import Final, TypeVar

import msgspec
from msgspec.structs import replace

from streamgauge.core.analysis import AnalysisState
from streamgauge.core.campaign import Campaign, exercise
from streamgauge.core.checks import verdicts as checks
from streamgauge.core.checks.sides import Rows, with_sides
from streamgauge.core.contract import EVERY_RULE, Rule
from streamgauge.core.control import Control, invalid
from streamgauge.core.doubt import too_few
from streamgauge.core.finding import LATENCY, VERDICT, Doubt, Outcome, Verdict
from streamgauge.core.measured import SERVER, measured
from streamgauge.core.memory import Series
from streamgauge.core.metrics.tally import SECOND_NS, runs, shares
from streamgauge.core.overhead import doubts as overhead_doubts
from streamgauge.core.overhead import overhead
from streamgauge.core.resources import ServerAccount, judge_account
from streamgauge.core.threshold import Level, Threshold, ThresholdResult, evaluate
from streamgauge.report import wording
from streamgauge.report.bounds import bounds_of
from streamgauge.report.measurements import durations_of, goodput_of, streams_of
from streamgauge.report.model import (
    Environment,
    Fault,
    Leak,
    Leaks,
    Report,
    ServerCost,
    ShareOf,
    Worker,
)
from streamgauge.report.redact import digest, redacted_tree, without_speech

MOST_ITEMS: Final = 1_000  # of any list, and of the counts
MOST_SECONDS: Final = 86_400
MOST_PLAN: Final = 65_536  # bytes of its JSON
_ID: Final = 200  # characters of a string in a finding
_TEXT: Final = 2_000  # of any other
_VOIDS_LATENCY: Final = (LATENCY, VERDICT)  # a void verdict voids everything

Item = TypeVar("Item")


def conclude(  # noqa: PLR0913 - these are the parts of a report
    state: AnalysisState,
    *,
    plan: Mapping[str, object],
    required: Iterable[Rule],
    promises: Collection[Rule] = EVERY_RULE,
    environment: Environment,
    thresholds: Iterable[Threshold] = (),
    doubts: Iterable[Doubt] = (),
    cut_short: bool = False,
    faults: Iterable[Fault] = (),
    workers: Iterable[Worker] = (),
    recordings: Iterable[str] = (),
    server: ServerCost | None = None,
    plan_digest: str = "",
    epoch_ns: int = 0,
    rows: Iterable[Rows] = (),
    unread: Iterable[str] = (),
    control: Control | None = None,
    attack: Campaign | None = None,
    account: ServerAccount | None = None,
    memory: Iterable[Series] = (),
) -> Report:
    """Make the report: fail outranks unknown, and unknown outranks pass.

    `cut_short` is only marked: what was seen until then was seen. `promises` are the
    rules that `state` was judged by. `rows` are what the recordings hold, looked at for what was
    around findings, and `unread` says what of them is not there. `account` is what the server said
    it held, by the time of day; `memory` is that of the workers.
    """
    cuts: list[str] = []
    if attack is not None:
        state = replace(state, checks=exercise(state.checks, attack))
    if account is not None:
        state = replace(state, checks=state.checks.merge(judge_account(account, epoch_ns)))
    judged = checks.conclude(state.checks, required, promises)
    if any(verdict.findings for verdict in judged):
        judged = _around(judged, rows)
        cuts += unread
    verdicts = tuple(map(_without_secrets, judged))
    memory = (*_of_server(account, epoch_ns, state.began_ns), *memory)
    parts = tuple(_share(name, part.good, part.of) for name, part in shares(state.counts, promises).items())
    cost = overhead(state.slices)
    if cost or plan.get("slice_runs"):
        doubts = (*doubts, *overhead_doubts(cost))
    doubts = (*doubts, *filter(None, (invalid(control) if control else None,)))
    counts = _counts(state)
    known = measured(state, verdicts, doubts, memory)
    results = _first((evaluate(threshold, known) for threshold in thresholds), "thresholds", cuts)
    doubts = _first((*doubts, *too_few(results)), "doubts", cuts)
    doubtful = any(doubt.voids in _VOIDS_LATENCY for doubt in doubts)
    failures = _failures(verdicts, parts, results)
    unknowns = _unknowns(verdicts, parts, doubts, results)
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
        thresholds=results,
        goodput=goodput_of(state.goodput, duration_s, doubtful="goodput" in known.void),
        streams=streams_of(state.streams, doubtful=doubtful),
        durations=durations_of(state, doubtful=doubtful),
        events_per_s=counts["events"] / duration_s if duration_s > 0 else None,
        seconds=_seconds(state, cuts),
        verdicts=verdicts,
        doubts=doubts,
        bounds=tuple(bounds_of(verdicts, counts, state.checks.losses)),
        overhead=cost,
        faults=_first(faults, "faults", cuts),
        workers=_first(workers, "workers", cuts),
        recordings=_first(recordings, "recordings", cuts),
        server=server,
        plan_digest=plan_digest,
        leaks=_leaks(state, promises, cuts),
        losses=state.checks.losses,
        epoch_ns=epoch_ns,
        memory=_first(memory, "memory", cuts),
        cuts=tuple(cuts),
        control=control,
        attack=attack,
    )
    return msgspec.convert(redacted_tree(msgspec.to_builtins(report), _TEXT), Report)


def _of_server(account: ServerAccount | None, epoch_ns: int, began_ns: int) -> Iterator[Series]:
    """The server's resident memory; what it was before the first user comes first."""
    if account is None:
        return
    moments = (account.before, *account.during, account.after)
    points = tuple(
        (moment.at_ns - epoch_ns - began_ns if epoch_ns else 0, moment.rss_bytes)
        for moment in moments
        if moment is not None and moment.rss_bytes is not None
    )
    if points:
        yield Series(SERVER, points)


def _failures(
    verdicts: Sequence[Verdict], parts: Sequence[ShareOf], results: Sequence[ThresholdResult]
) -> list[str]:
    """Leaks first; then the rules in their order, then the shares, then the thresholds."""
    failing = [verdict for verdict in verdicts if verdict.outcome is Outcome.FAIL]
    failing.sort(key=lambda verdict: verdict.rule not in wording.ISOLATION)
    return [
        *map(wording.broken, failing),
        *(wording.incomplete(part) for part in parts if part.outcome is Outcome.FAIL),
        *_thresholds(results, Outcome.FAIL),
    ]


def _unknowns(
    verdicts: Sequence[Verdict],
    parts: Sequence[ShareOf],
    doubts: Sequence[Doubt],
    results: Sequence[ThresholdResult],
) -> list[str]:
    """Doubts first: they explain what else is unknown; what a finding masks, that finding explains."""
    return [
        *(wording.doubt(doubt) for doubt in doubts if doubt.voids == VERDICT),
        *(wording.unjudged(v) for v in verdicts if v.required and v.outcome is Outcome.UNKNOWN),
        *(wording.incomplete(part) for part in parts if part.outcome is Outcome.UNKNOWN),
        *_thresholds(results, Outcome.UNKNOWN),
    ]


def _thresholds(results: Sequence[ThresholdResult], outcome: Outcome) -> list[str]:
    """Those that came to `outcome`, but for mere warnings: they are shown and change nothing."""
    return [
        wording.threshold(result)
        for result in results
        if result.outcome is outcome and result.threshold.level is Level.FAIL
    ]


def _share(name: str, good: int, of: int) -> ShareOf:
    if not of:
        return ShareOf(name, good, of, Outcome.UNKNOWN)
    return ShareOf(name, good, of, Outcome.PASS if good >= of else Outcome.FAIL)


def _counts(state: AnalysisState) -> dict[str, int]:
    """What was tallied, and what only the whole state knows."""
    checks, counts = state.checks, state.counts
    return counts | {
        "events": counts.get("events", 0),
        "users": checks.users,
        "runs": runs(counts),
    }


def _open_names_last(count: tuple[str, int]) -> tuple[bool, str]:
    """Counts whose names hold words of the server come after the others, where they may be cut."""
    name = count[0]
    return name.startswith(("runs ended in ", "unsent: ")), name


def _leaks(state: AnalysisState, promises: Collection[Rule], cuts: list[str]) -> Leaks:
    cells = checks.leaks(state.checks, promises)
    first = _first((Leak(*cell) for cell in cells), "leaks", cuts)
    known = checks.placed_leaks(state.checks, promises)
    return Leaks(sum(cell.messages for cell in cells), len(cells), known.beyond, first, known.messages)


def _seconds(state: AnalysisState, cuts: list[str]) -> tuple[int, ...]:
    if not state.seconds:
        return ()
    first, last = min(*state.seconds, state.began_ns // SECOND_NS), max(state.seconds)
    seconds = range(first, last + 1)
    if len(seconds) > MOST_SECONDS:
        cuts.append(f"seconds: the first {MOST_SECONDS:,} of {len(seconds):,}")
    return tuple(state.seconds.get(second, 0) for second in seconds[:MOST_SECONDS])


def _plain(plan: Mapping[str, object], cuts: list[str]) -> dict[str, object]:
    """The plan as plain JSON without what is said, so that reading the report gives the same report again."""
    tree = without_speech(msgspec.to_builtins(dict(plan), enc_hook=str))
    encoded = msgspec.json.encode(redacted_tree(tree, _TEXT, by_name=True), order="sorted")
    if len(encoded) > MOST_PLAN:
        cuts.append(f"plan: all of its {len(encoded):,} bytes")
        return {}
    return msgspec.json.decode(encoded, type=dict[str, object])


def _first(items: Iterable[Item], name: str, cuts: list[str]) -> tuple[Item, ...]:
    items = tuple(items)
    if len(items) > MOST_ITEMS:
        cuts.append(f"{name}: the first {MOST_ITEMS:,} of {len(items):,}")
    return items[:MOST_ITEMS]


def _around(verdicts: Sequence[Verdict], rows: Iterable[Rows]) -> tuple[Verdict, ...]:
    """The verdicts, their findings with both sides."""
    shown = iter(with_sides([found for verdict in verdicts for found in verdict.findings], rows))
    return tuple(replace(of, findings=tuple(islice(shown, len(of.findings)))) for of in verdicts)


def _without_secrets(verdict: Verdict) -> Verdict:
    """The verdict with digests in place of canaries, and its strings short."""
    hidden = replace(verdict, findings=tuple(replace(f, token=digest(f.token)) for f in verdict.findings))
    return msgspec.convert(redacted_tree(msgspec.to_builtins(hidden), _ID), Verdict)
