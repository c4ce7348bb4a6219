"""Reasons not to trust a result, each with its limit, advice, and what it voids."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from streamgauge.core.doubt_limits import DoubtLimits
from streamgauge.core.finding import LATENCY, NOTHING, VERDICT, Doubt
from streamgauge.core.histogram import Distribution
from streamgauge.core.interval import quantile_ranks
from streamgauge.core.littles_law import broken_law
from streamgauge.core.metrics.course import CourseState
from streamgauge.core.metrics.early import EARLY
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.overload import overload, p99
from streamgauge.core.steadiness import unsteady
from streamgauge.core.threshold import ThresholdResult
from streamgauge.core.vitals import Process

_DELIVERIES: Final = (Metric.DELIVERY, Metric.DELIVERY_BOUND)
FORSAKEN: Final = "nobody was connected any more"  # why a run ended by itself


def doubts(  # noqa: PLR0913 - each is something that can be amiss
    counts: Mapping[str, int],
    latencies: Mapping[str, Distribution],
    *,
    unconnected: Mapping[str, int],
    missing_workers: Sequence[str] = (),
    changed_workers: Sequence[str] = (),
    troubles: tuple[str, ...],
    clock_steps: int,
    aborted: str = "",
    planned: int = 0,
    limits: DoubtLimits = DoubtLimits(),  # noqa: B008 - frozen
    processes: Sequence[Process] = (),
    course: CourseState = CourseState(),  # noqa: B008 - frozen
    load_ns: tuple[int, int] | None = None,
    most_runs: int = 0,
    clock_bound_ns: int = 0,
    least_ahead_ns: int = 0,
) -> Iterator[Doubt]:
    """Everything that was measured about the measurement and is beyond its limit.

    `missing_workers` says of every worker whose share never came who it was, and
    `changed_workers` who came or left in mid-run. `planned` is how many users were to
    connect, 0 where the run was cut short. `processes` are the generator's; `load_ns` says
    from when until when the load is to be the same, in ns from the beginning, and is None
    where it is to change; `most_runs` how many runs may be asked for, 0 without a cap;
    `clock_bound_ns` how far off what is known of the server's clock may be; `least_ahead_ns` by how much
    an event arrived before its emission, where that is least.
    """
    capped = bool(most_runs) and counts.get("requests", 0) >= most_runs
    yield from _ended_early(aborted, counts.get("requests", 0), most_runs if capped else 0)
    if missing_workers:
        yield Doubt(
            "workers missing",
            ", ".join(missing_workers),
            "every share",
            "look into their logs: what they saw is lost",
            VERDICT,
        )
    if changed_workers:
        yield Doubt(
            "workers changed",
            ", ".join(changed_workers),
            "the same from beginning to end",
            "users moved from worker to worker: nothing is lost, but the load was not even",
            NOTHING,
        )
    for trouble in troubles:
        yield Doubt(
            "instrument", trouble, "no trouble", "this is a defect of streamgauge: report it", VERDICT
        )
    if unconnected:
        why = ", ".join(f"{count} × {reason}" for reason, count in sorted(unconnected.items()))
        yield Doubt(
            "users not connected",
            why,
            "0",
            "the load was smaller than planned: see the server's limits",
            VERDICT,
        )
    if counts.get("users", 0) < planned and not capped:
        yield Doubt(
            "users connected",
            f"{counts.get('users', 0)} of {planned}",
            "all of the plan",
            "the load was smaller than planned: give a longer duration or a higher spawn rate",
            VERDICT,
        )
    if lost := counts.get("closed by the server", 0):
        yield Doubt(
            "connections lost",
            f"{lost} closed by the server, {counts.get('runs abandoned', 0)} runs abandoned",
            "0",
            "the server died, drained or dropped users: its log says why",
            VERDICT,
        )
    if not counts.get("events", 0):
        yield Doubt("events", "0", "at least 1", "nothing was measured: see the server's log", VERDICT)
    due = counts.get("requests", 0) + counts.get("requests unsent", 0)
    if due and counts.get("requests unsent", 0) / due > limits.unsent:
        share = counts["requests unsent"] / due
        yield Doubt(
            "requests unsent",
            f"{share:.1%} of {due}",
            f"{limits.unsent:.0%}",
            "the target answers too slowly for this load: fewer users or a longer interval",
            LATENCY,
        )
    yield from overload(processes, limits)
    yield from _late(latencies, limits)
    yield from _stamps(counts, latencies, limits)
    yield from _lies(counts, latencies, clock_bound_ns, least_ahead_ns)
    vitals = [process.vitals for process in processes if process.vitals is not None]
    whole = len(vitals) == len(processes)
    for doubt in (
        unsteady(course, load_ns, limits.warm_up),
        _disagreement(processes, limits.workers_disagree),
        broken_law(counts, latencies, vitals, limits.littles_law) if whole else None,
    ):
        if doubt is not None:
            yield doubt
    if clock_steps:
        yield Doubt(
            "clock set", f"{clock_steps} times", "0", "the machine's clock was set while we measured", LATENCY
        )


def _ended_early(aborted: str, asked: int, cap: int) -> Iterator[Doubt]:
    """The run ended before its time: by itself, or because `asked` reached its `cap`."""
    if aborted == FORSAKEN:
        yield Doubt(
            "stopped early",
            aborted,
            "at least 1 connection",
            "the server died or dropped all users: its log says why",
            VERDICT,
        )
    elif aborted:
        yield Doubt(
            "stopped early",
            aborted,
            "abort_on",
            "the plan stopped the run: what would have come later was not seen",
            VERDICT,
        )
    if cap:
        yield Doubt(
            "cut",
            f"at {asked:,} runs",
            f"most_runs {cap:,}",
            "the plan allows no more: what was seen until then stands",
            NOTHING,
        )


def _late(latencies: Mapping[str, Distribution], limits: DoubtLimits) -> Iterator[Doubt]:
    """What the generator itself was late with."""
    lag = latencies.get(Metric.LAG, Distribution())
    if lag.n and lag.quantile(0.99) > limits.lag_p99 * 1e9:
        yield Doubt(
            "generator lag",
            p99(lag),
            f"{limits.lag_p99 * 1e3:.0f} ms",
            "the generator is overloaded: more --processes, fewer users",
            LATENCY,
        )
    slip = latencies.get(Metric.SLIP, Distribution())
    first = latencies.get(Metric.FIRST_EVENT, Distribution())
    # below half of the first event's own time it hides no server
    limit_ns = max(limits.slip_p99 * 1e9, first.quantile(0.99) / 2 if first.n else 0)
    if slip.n and slip.quantile(0.99) > limit_ns:
        yield Doubt(
            "schedule slip",
            p99(slip),
            f"{limit_ns / 1e6:.0f} ms",
            "requests went out late, and times count from when they were due: more --processes, fewer users",
            LATENCY,
        )


def _stamps(
    counts: Mapping[str, int],
    latencies: Mapping[str, Distribution],
    limits: DoubtLimits,
) -> Iterator[Doubt]:
    stampless = counts.get("messages without a kernel stamp", 0)
    messages = counts.get("messages", 0)
    if messages and stampless / messages > limits.missing_stamps:
        yield Doubt(
            "kernel stamps missing",
            f"{stampless / messages:.1%} of messages",
            f"{limits.missing_stamps:.0%}",
            "latencies are read times here: they hold the generator's own lag",
            LATENCY,
        )
    exact, bounds = (latencies.get(metric, Distribution()).n for metric in _DELIVERIES)
    if bounds and bounds / (exact + bounds) > limits.inexact_stamps:
        yield Doubt(
            "inexact stamps",
            f"{bounds / (exact + bounds):.1%} of events",
            f"{limits.inexact_stamps:.0%}",
            "they were read together with later ones: the delivery latency speaks for the rest only",
            NOTHING,
        )


def untold_shift_ns(latencies: Mapping[str, Distribution], clock_bound_ns: int) -> int | None:
    """By how much the server's stamps could be further ahead, and none would show; None without deliveries.

    The quickest delivery shows it first: its event would have arrived before it was emitted.
    """
    least = [of.least for name in _DELIVERIES if (of := latencies.get(name, Distribution())).n]
    return min(least) + clock_bound_ns if least else None


def _lies(
    counts: Mapping[str, int],
    latencies: Mapping[str, Distribution],
    clock_bound_ns: int,
    least_ahead_ns: int,
) -> Iterator[Doubt]:
    least = max(0, least_ahead_ns - clock_bound_ns)
    by = f", the smallest lie by at least {_short(least)}" if least else ""
    lies = (
        (counts.get("deliveries before their emission", 0), f"arrived before they were emitted{by}"),
        (counts.get(EARLY, 0), "were emitted before they were asked for"),
    )
    if any(events for events, _ in lies):
        shift_ns = untold_shift_ns(latencies, clock_bound_ns)
        told = "" if shift_ns is None else f"; more than {_short(shift_ns)} further ahead would show"
        yield Doubt(
            "clock",
            ", ".join(f"{events} events {why}" for events, why in lies if events),
            f"0{told}",
            "the server's stamps lie",
            VERDICT,
        )


def _short(time_ns: int) -> str:
    return f"{time_ns / 1e3:,.0f} µs"


def _disagreement(processes: Sequence[Process], factor: float) -> Doubt | None:
    """Where the p99 of two workers are apart beyond what their samples leave open.

    Compared are the near ends of their 95 % intervals; a worker with fewer values than an
    interval takes is left out. One percentile of all hides such a difference, as Treadmill
    found (Y. Zhang et al., ISCA 2016): clients are looked at one by one.
    """
    known = [
        (of.quantile(0.99), of.at_rank(ranks[0]), of.at_rank(ranks[1]), name)
        for name, _, of in processes
        if (ranks := quantile_ranks(0.99, of.n))
    ]
    if not known:
        return None
    least, most = min(known), max(known)
    if most[1] <= factor * least[2]:
        return None
    return Doubt(
        "workers disagree",
        f"p99 of the first event {most[0] / 1e6:,.1f} ms at {most[3]}, "
        f"{least[0] / 1e6:,.1f} ms at {least[3]}",
        f"a factor of {factor:g}",
        "their machines, their load or their way to the target differ: look at each worker's own figures",
        LATENCY,
    )


def too_few(results: Iterable[ThresholdResult]) -> Iterator[Doubt]:
    """The percentiles that are demanded and that their samples do not carry; the thresholds say unknown."""
    for result in results:
        if result.n < result.needs and result.threshold.statistic.startswith("p"):
            yield Doubt(
                "too few samples",
                f"{result.n:,} for {result.threshold.statistic}({result.threshold.metric})",
                f"{result.needs:,}",
                "a longer duration, or more users",
                NOTHING,
            )
