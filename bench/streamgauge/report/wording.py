"""Makes words of a report: one sentence a finding, a doubt, or whatever else is told.

Nothing is escaped here: a sentence may hold whatever a server called its runs,
and each renderer makes it harmless in its own way.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from streamgauge.core.campaign import Campaign
from streamgauge.core.contract import Rule
from streamgauge.core.control import Control, Seeded
from streamgauge.core.finding import Doubt, Finding, Outcome, Verdict
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.overhead import Overhead
from streamgauge.core.telling import Telling
from streamgauge.core.threshold import ThresholdResult
from streamgauge.report.model import Duration, Fault, Goodput, Report, ShareOf, Streams
from streamgauge.report.problems import sentence
from streamgauge.report.quantity import (
    amount,
    count,
    difference,
    duration,
    percent,
    plus_minus,
    share,
    some,
)

ISOLATION: Final = frozenset({Rule.ISOLATION_ENVELOPE, Rule.ISOLATION_CANARY})
_BY_MESSAGE: Final = ISOLATION | {Rule.PROTOCOL, Rule.OFFSET_CONTIGUOUS}
_UNCOUNTED: Final = (
    "this protocol does not count its events: what is lost or swapped within a text shows in no rule"
)
_MEDIAN: Final = 0.5
_ID: Final = 20  # characters of an id that a sentence shows


def timed(of: Duration) -> str:
    """What was timed, and whether that may be trusted, and how far."""
    doubtful = " (doubtful)" if of.doubtful else ""
    if not of.bound_ns or not of.n:
        return f"{of.name}{doubtful}"
    within, hidden = f"± {duration(of.bound_ns)}", hidden_by_clocks(of)
    if of.name != Metric.DELIVERY:  # it stands below that, which says why
        return f"{of.name} ({'known to ' if hidden else ''}{within}){doubtful}"
    why = f"clocks known to {within} only" if hidden else f"server clock mapped, {within}"
    return f"{of.name} ({why}){doubtful}"


def hidden_by_clocks(of: Duration) -> bool:
    """Whether the clocks are not known well enough for so short a time."""
    return any(
        quantile.q == _MEDIAN and quantile.value_ns is not None and of.bound_ns > quantile.value_ns
        for quantile in of.quantiles
    )


def goodput(of: Goodput) -> str:
    """How many runs were good, and what spoke against the others."""
    if not of.of:
        return "nothing to count"
    against = (
        f"{count(of.broken)} broke a rule" if of.broken else "",
        f"{count(of.unfinished)} without a result" if of.unfinished else "",
        *(f"{count(n)} not {limit}" for limit, n in of.beyond.items() if n),
    )
    said = f"{share(of.good, of.of)}, {count(of.good)} of {some(of.of, 'run')}"
    return ": ".join(filter(None, (said, ", ".join(filter(None, against)))))


def streams(of: Streams) -> str:
    """How many chunks there were, and what held them up."""
    stalls = f"{some(of.stalls, 'stall')} of more than {duration(of.stall_ns)}"
    where = f" in {count(of.stalled)} of them" if of.stalled else ""
    at_once = f"{count(of.at_once)} all at once" if of.at_once else ""
    return ", ".join(filter(None, (some(of.chunks, "chunk"), f"{stalls}{where}", at_once)))


def peak(report: Report) -> str:
    """The busiest second; "" for none."""
    return f"at most {count(max(report.seconds))} in one second" if report.seconds else ""


def unit_of(rule: Rule) -> str:
    """What a rule is applied to."""
    if rule is Rule.ISOLATION_ACTIVE:
        return "attack"
    if rule is Rule.RESOURCE:
        return "look"
    return "message" if rule in _BY_MESSAGE else "run"


def short(text: str, most: int = _ID) -> str:
    """The beginning of an id, or of any text."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def wall_clock(at_ns: int, report: Report) -> str:
    """The time of day, in UTC and to the microsecond; "" where it is not known."""
    if not report.epoch_ns or not at_ns:
        return ""
    moment = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=(report.epoch_ns + at_ns) // 1_000)
    return moment.isoformat(sep=" ", timespec="microseconds").replace("+00:00", "Z")


def when(at_ns: int, report: Report) -> str:
    """Seconds since the beginning of the run."""
    return f"{(at_ns - report.began_ns) / 1e9:.6f}"


def finding(found: Finding) -> str:
    """What was found, at whom."""
    problem = sentence(found)
    if found.rule == Rule.RESOURCE:
        return f"the server: {problem}"
    user = short(found.user) or "an unknown user"
    run = short(found.run)
    if found.rule is Rule.ISOLATION_ACTIVE:
        return problem
    if found.rule in ISOLATION:
        socket = f" (connection {found.conn})" if found.conn else ""
        canary = f" {found.token}" if found.token else ""
        where = f", in run {run}" if run else ""
        other = short(found.other) or "another user, unknown"
        other += f" (connection {found.other_conn})" if found.other_conn else ""
        return f"{user}{socket} and {other}: {problem}{canary}{where}"
    whose = f"{run} of {user}" if run else f"connection {found.conn} of {user}"
    if not run and found.request:
        whose = f"request {short(found.request)} of {user}"
    return f"{whose}: {problem}"


def identified(found: Finding) -> str:
    """What was found, behind its name in the report."""
    return ": ".join(filter(None, (found.id, finding(found))))


def at(found: Finding, report: Report) -> str:
    """When it was: since the beginning of the run, and by the wall clock."""
    if not found.at_ns:
        return ""
    return ", ".join(filter(None, (f"second {when(found.at_ns, report)}", wall_clock(found.at_ns, report))))


def theirs(found: Finding) -> str:
    """What the second user of a leak saw of it on its own socket."""
    socket = f" (connection {found.other_conn})" if found.other_conn else ""
    whose = f"{short(found.other)}{socket}"
    if found.theirs_run != found.run:
        return f"at that time, at {whose}, in run {short(found.theirs_run)}:"
    seqs = {witness.seq for witness in found.theirs}
    leaked = next((witness.seq for witness in found.witnesses if witness.guilty), 0)
    what = (
        ""
        if not leaked
        else f", seq {leaked} came there, too"
        if leaked in seqs
        else f", seq {leaked} is missing there"
    )
    return f"the same run at {whose}{what}:"


def broken(of: Verdict) -> str:
    """Why a rule fails."""
    first = f": {finding(of.findings[0])}" if of.findings else ""
    found = some(of.found, "finding")
    return f"{of.rule}: {found} in {some(of.exercised, unit_of(of.rule))}{first}"


def unjudged(of: Verdict) -> str:
    """Why a rule is unknown."""
    if not of.promised:
        return f"{of.rule}: not promised by the protocol"
    need = "required" if of.required else "not required"
    if of.unknown and of.rule is Rule.ISOLATION_ACTIVE:
        return f"{of.rule}: {need}, and unknown of {some(of.unknown, unit_of(of.rule))}"
    if of.unknown:
        return f"{of.rule}: {need}, and masked by another finding in {some(of.unknown, unit_of(of.rule))}"
    return f"{of.rule}: {need}, and not exercised"


def incomplete(part: ShareOf) -> str:
    """Why a share is no pass."""
    if not part.of:
        return f"{part.name}: nothing to count"
    return f"{part.name}: {share(part.good, part.of)}, {count(part.good)} of {some(part.of, 'run')}"


def threshold(of: ThresholdResult) -> str:
    """What was demanded, and what came of it."""
    held = " ".join(filter(None, (value(of), interval(of))))
    return f"{of.threshold.text}: {', '.join(filter(None, (held, f'n = {count(of.n)}', why_unknown(of))))}"


def value(of: ThresholdResult) -> str:
    """What was held against the limit; "" where there is nothing."""
    return "" if of.value is None else amount(of.value, of.threshold.unit)


def interval(of: ThresholdResult) -> str:
    """The 95 % interval of that; "" where there is none."""
    if of.low is None or of.high is None:
        return ""
    unit = of.threshold.unit
    return f"({amount(of.low, unit)} – {amount(of.high, unit)})"


def why_unknown(of: ThresholdResult) -> str:
    """Why a threshold is unknown; "" of one that is not."""
    if of.outcome is not Outcome.UNKNOWN:
        return ""
    if of.void:
        return f"void: {of.void}"
    return f"needs {count(of.needs)}" if of.n else "not measured"


def overhead(of: Overhead) -> str:
    """What events cost, in one sentence."""
    costs = (("of server CPU", of.cpu), ("of the run's own time", of.emission))
    said = [f"{plus_minus(cost.events)} {what} ({percent(cost.share)})" for what, cost in costs if cost]
    return f"events cost a run {' and '.join(said)}" if said else "what events cost is not known"


def doubt(reason: Doubt) -> str:
    """What is doubtful."""
    limit = f" (limit {reason.limit})" if reason.limit else ""
    return f"{reason.name}: {reason.value}{limit}" if reason.value else f"{reason.name}{limit}"


def advised(reason: Doubt) -> str:
    """What is doubtful, what that makes unknown, and what to do."""
    voids = f"this voids the {reason.voids}" if reason.voids else ""
    return " — ".join(filter(None, (doubt(reason), "; ".join(filter(None, (voids, reason.advice))))))


def fault(of: Fault) -> str:
    """How often a fault struck."""
    if of.struck is None:
        return f"{of.name}: the server does not say how often"
    chances = f" of {some(of.opportunities, 'chance')}" if of.opportunities is not None else ""
    return f"{of.name}: {some(of.struck, 'time')}{chances}"


def seeded(of: Seeded) -> str:
    """What the control seeded, where, and whether it was caught."""
    rules = " or ".join(of.expected) or "no rule that the protocol promises"
    if of.strike is None:
        return f"{of.name}: not seeded, no event came that {rules} would tell of"
    at = f"{of.strike.kind}{f' (seq {of.strike.seq})' if of.strike.seq else ''} of {short(of.strike.run)}"
    return f"{of.name}, {at}: {f'caught by {of.caught}' if of.caught else f'NOT caught by {rules}'}"


def control(of: Control | None) -> tuple[str, ...]:
    """What the control came to, in lines; none where there was no control."""
    if of is None:
        return ()
    if of.problem:
        return (of.problem,)
    counted = all(Rule.SEQ_CONTIGUOUS in one.expected for one in of.seeded if one.name != "leak")
    return (*map(seeded, of.seeded), *(() if counted else (_UNCOUNTED,)))


def more(of: Verdict, shown: int) -> str:
    """Where the findings are that are not shown; "" where all are."""
    kept, shown = len(of.findings), min(len(of.findings), shown)
    if shown >= of.found:
        return ""
    told = f"{count(kept - shown)} more with witnesses in report.json" if kept > shown else ""
    counted = f"{count(of.found - kept)} more were only counted" if of.found > kept else ""
    return "; ".join(filter(None, (f"{count(shown)} of {count(of.found)} shown", told, counted)))


def verdict(report: Report, most: int) -> str:
    """The verdict in one sentence of at most `most` characters, without the outcome's name."""
    tail = " (cut short)" if report.cut_short else ""
    if report.reasons:
        said, others = report.reasons[0], len(report.reasons) - 1
        tail = (f" (+{some(others, 'more reason')})" if others else "") + tail
    else:
        events, users = report.counts.get("events", 0), report.counts.get("users", 0)
        said = f"{some(events, 'event')} of {some(users, 'user')} verified, 0 findings"
        said = f"{attacks(report.attack)}, {said}" if report.attack else said
        said = f"{report.scenario}: {said}" if report.scenario else said
    return short(visible(said), most - len(tail)) + tail


def attacks(of: Campaign) -> str:
    """How many attacks there were, and how many could not be."""
    judged = sum(attack.outcome is not None for attack in of.attacks)
    left = len(of.attacks) - judged
    return f"{some(judged, 'attack')} answered as stated" + (f" ({left} not exercised)" if left else "")


def telling(of: Telling) -> str:
    """Whether what is another's can be told from what does not exist by time, without a verdict."""
    if of.difference_ns is None or of.low_ns is None or of.high_ns is None:
        return f"'not yours' and 'does not exist' by time: too few answers to say ({some(of.pairs, 'pair')})"
    can = "can be told" if of.can_be_told else "cannot be told"
    low, high = difference(of.low_ns), difference(of.high_ns)
    return (
        f"'not yours' and 'does not exist' {can} apart by time: difference {difference(of.difference_ns)}, "
        f"95 % interval [{low}, {high}], {some(of.pairs, 'pair')}"
    )


def title(report: Report) -> str:
    """What was run, when, where and for how long, in one line."""
    where = report.environment
    parts = (
        f"streamgauge {report.scenario}".rstrip(),
        where.revision and f"revision {where.revision}",
        duration(report.duration_s * 1e9) + (", cut short" if report.cut_short else ""),
        f"{some(len(report.workers), 'worker')}, {some(where.cores, 'core')}",
        where.system,
        where.started,
    )
    return " · ".join(filter(None, parts))


def visible(text: str) -> str:
    """The text with all that cannot be seen, or would move a cursor, written as an escape."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
