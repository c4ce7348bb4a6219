"""How often leaks, losses and other findings happen: an interval where any was seen, else a bound."""

from collections.abc import Iterator, Mapping, Sequence

from streamgauge.core.checks.extent import Losses
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Verdict
from streamgauge.core.interval import exact_interval, zero_upper_bound
from streamgauge.report import wording
from streamgauge.report.model import LOSS, Bound


def bounds_of(verdicts: Sequence[Verdict], counts: Mapping[str, int], losses: Losses) -> Iterator[Bound]:
    """How often leaks and losses happen, and what else was found, by what one may count.

    They come in clusters, so that of the same the widest is the honest one.
    """
    by_rule = {verdict.rule: verdict for verdict in verdicts}
    connections = counts.get("connections", 0)
    for rule, of in by_rule.items():
        isolation = rule in wording.ISOLATION
        if not of.exercised or not (isolation or of.found):
            continue
        struck = of.struck
        if wording.unit_of(rule) == "message":
            yield from _bound(rule, "message", struck.messages, of.exercised)
        if isolation:
            # nothing can be said to have leaked nothing of which nothing arrived; any run can leak
            leaked = struck.runs or struck.more_runs
            runs = _not_refused(counts) if leaked else by_rule[Rule.ECHO].exercised
            yield from _bound(rule, "run", struck.runs, runs, struck.more_runs)
        elif wording.unit_of(rule) == "run":
            yield from _bound(rule, "run", struck.runs, of.exercised)
        yield from _bound(rule, "connection", struck.connections, connections)
    if by_rule[Rule.SEQ_CONTIGUOUS].exercised:
        yield from _bound(LOSS, "event", losses.least, counts.get("events", 0) + losses.least)
    if runs := by_rule[Rule.COMPLETE].exercised:
        yield from _bound(LOSS, "run", losses.runs, runs)
        yield from _bound(LOSS, "connection", losses.connections, connections)


def _not_refused(counts: Mapping[str, int]) -> int:
    return counts.get("runs", 0) - counts.get("runs refused", 0)


def _bound(what: str, unit: str, hits: int, n: int, more: int = 0) -> Iterator[Bound]:
    if not n or hits > n:
        return  # what was counted more often than there was of it (late events of one run) is no rate
    if hits or more:
        lower, _ = exact_interval(hits, n)
        _, upper = exact_interval(min(hits + more, n), n)
        yield Bound(unit, n, upper, what, hits, lower, more)
    else:
        yield Bound(unit, n, zero_upper_bound(n), what)
