"""How far what was found reaches, in words and tables: bounds, whom leaks went to, where what was lost."""

import math
from collections.abc import Sequence
from typing import Final

from streamgauge.core.checks.extent import Losses
from streamgauge.core.doubt import untold_shift_ns
from streamgauge.core.metrics.latency import Metric
from streamgauge.report import quantity, wording
from streamgauge.report.model import LOSS, Bound, Leaks, Report
from streamgauge.report.table import Row, Table

_NOT_THE_ATTACKERS: Final = ", without the attacker's"  # rule isolation-active judges those
_ONE_IN: Final = 0.1  # above it whole numbers are too coarse: 63.16 % is no "1 in 1"


def bound(limit: Bound) -> str:
    """How often at most: "at most 1 in 334 connections"; or, where it was seen, how often."""
    if not limit.hits and limit.upper > _ONE_IN:
        return f"at most {quantity.part(limit.upper)} of {limit.unit}s"
    if not limit.hits:
        return f"at most 1 in {quantity.some(math.floor(1 / limit.upper), limit.unit)}"
    more = f", and up to {quantity.count(limit.more)} more" if limit.more else ""
    seen = f"{quantity.count(limit.hits)} of {quantity.some(limit.n, limit.unit)}{more}"
    low, high = quantity.part(limit.lower), quantity.part(limit.upper)
    return f"{seen}: {quantity.part(limit.hits / limit.n)} ({low} – {high})"


def widest(limits: Sequence[Bound]) -> Bound:
    """The honest one of several bounds on the same: what goes wrong comes in clusters."""
    return max(limits, key=lambda limit: limit.upper)


def losses_by_place(of: Losses) -> Sequence[tuple[str, str]]:
    """What was lost, and where, as far as anything was."""
    places = (
        (
            of.gaps,
            f"{quantity.some(of.gaps, 'event')} of {quantity.some(of.gap_runs, 'run')}",
            "while connected: later ones came",
        ),
        (of.tails, quantity.some(of.tails, "end"), "at the tail: the run began, and its end never came"),
        (of.unbegun, quantity.some(of.unbegun, "run"), "whole: asked for, and nothing ever came"),
        (of.unplaced, quantity.some(of.unplaced, "number"), "of a session, that the loss of no run explains"),
        (of.cut, quantity.some(of.cut, "run"), "at a cut: under way when the server closed the connection"),
    )
    return [(what, where) for n, what, where in places if n]


def leaks_left_out(of: Leaks, shown: int) -> str:
    """What of the matrix of leaks is not shown; "" where all is."""
    shown = min(shown, len(of.first))
    if shown >= of.pairs and not of.beyond:
        return ""
    messages = of.messages + of.beyond
    left = messages - sum(leak.messages for leak in of.first[:shown])
    beyond = ", some of pairs that were too many to tell apart" if of.beyond else ""
    pairs = f"{quantity.count(shown)} of {quantity.some(of.pairs, 'pair')} shown"
    return (
        f"{pairs}; {quantity.count(left)} of {quantity.some(messages, 'message')} are of the others{beyond}"
    )


def leaks_figure(report: Report) -> Row:
    """How many messages leaked, or how rare that is."""
    found = report.leaks.leaked
    known = [bound for bound in report.bounds if bound.what in wording.ISOLATION]
    if found:
        seen = [bound for bound in known if bound.hits]
        return (
            "leaks",
            quantity.count(found),
            bound(widest(seen)) if seen else "see the findings",
        )
    if not known:
        return "leaks", "unknown", "nothing was looked at"
    return "leaks", "none seen", _at_most(known, report)


def stamps_figures(report: Report) -> Sequence[Row]:
    """How far the server's stamps could be ahead without a lie to show, where a delivery tells."""
    exact = any(of.name == Metric.DELIVERY and of.n for of in report.durations)
    latencies = {of.name: of.distribution for of in report.durations}
    bound_ns = max((of.bound_ns for of in report.durations), default=0)
    shift_ns = untold_shift_ns(latencies, bound_ns) if exact else None
    if shift_ns is None:
        return ()
    ahead = report.counts.get("deliveries before their emission", 0)
    told = f"more than {quantity.duration(shift_ns)} further ahead would show"
    return (("stamps ahead", quantity.count(ahead) if ahead else "none seen", told),)


def losses_figure(report: Report) -> Row:
    """What was lost, or how rare losses are."""
    known = [bound for bound in report.bounds if bound.what == LOSS]
    if lost := losses_by_place(report.losses):
        (what, where), *others = lost
        more = f" (+{quantity.some(len(others), 'more place')})" if others else ""
        return "losses", what, f"{where.partition(':')[0]}{more}"
    return ("losses", "none seen", _at_most(known, report)) if known else ("losses", "unknown", "")


def _at_most(known: Sequence[Bound], report: Report) -> str:
    doubtful = ", doubtful" if any(doubt.voids == "verdict" for doubt in report.doubts) else ""
    limit = widest(known)
    return f"{bound(limit)}{_beside(limit, report)} (95 %{doubtful})"


def _beside(limit: Bound, report: Report) -> str:
    """What of the same is not in it: an attacker's sockets, where leaks show too."""
    return _NOT_THE_ATTACKERS if report.attack and limit.what in wording.ISOLATION else ""


def bounds(report: Report) -> Table:
    """How often each thing goes wrong, by what one may count; the widest of the same is the honest one."""
    rows = tuple(
        (
            of.what,
            f"{quantity.count(of.hits)}{f' (+ ≤ {quantity.count(of.more)})' if of.more else ''}",
            f"{quantity.some(of.n, of.unit)}{_beside(of, report)}",
            quantity.part(of.lower) if of.hits else "",
            quantity.part(of.upper),
            "" if of.hits or of.upper > _ONE_IN else bound(of),
        )
        for of in report.bounds
    )
    return Table(("what", "seen", "in", "at least", "at most (95 %)", ""), rows, right=(1, 2, 3, 4))


def leaks(report: Report, most: int) -> Table:
    """Whose messages reached whom, the most first."""
    rows = tuple(
        (leak.sender or "not known", leak.receiver or "not known", quantity.count(leak.messages))
        for leak in report.leaks.first[:most]
    )
    return Table(("leaked from", "to", "messages"), rows, right=(2,))


def losses(report: Report) -> Table:
    """What was lost, and where."""
    return Table(("lost", "where"), tuple(losses_by_place(report.losses)))
