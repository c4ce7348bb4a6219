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
        if isolation:  # of every run of which anything arrived
            yield from _bound(rule, "run", struck.runs, by_rule[Rule.ECHO].exercised)
        elif wording.unit_of(rule) == "run":
            yield from _bound(rule, "run", struck.runs, of.exercised)
        yield from _bound(rule, "connection", struck.connections, connections)
    if by_rule[Rule.SEQ_CONTIGUOUS].exercised:
        yield from _bound(LOSS, "event", losses.least, counts.get("events", 0) + losses.least)
    if runs := by_rule[Rule.COMPLETE].exercised:
        yield from _bound(LOSS, "run", losses.runs, runs)
        yield from _bound(LOSS, "connection", losses.connections, connections)


def _bound(what: str, unit: str, hits: int, n: int) -> Iterator[Bound]:
    n = max(n, hits)  # a run that reached several connections counts on each
    if hits:
        lower, upper = exact_interval(hits, n)
        yield Bound(unit, n, upper, what, hits, lower)
    elif n:
        yield Bound(unit, n, zero_upper_bound(n), what)
