"""Reasons not to trust a result, each with its limit, advice, and what it voids."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from streamgauge.core.finding import Doubt
from streamgauge.core.histogram import Distribution
from streamgauge.core.metrics.latency import Metric

VERDICT: Final = "verdict"
LATENCY: Final = "latency"
NOTHING: Final = "nothing"
FORSAKEN: Final = "nobody was connected any more"  # why a run ended by itself

# The generator's own lag is part of no latency that has a kernel stamp, but above this it was
# too busy to keep its schedule, and what it then offered was not the load of the plan.
LAG_LIMIT_NS: Final = 100_000_000
SLIP_LIMIT_NS: Final = 100_000_000  # and half of the first event's time: below, it hides no server
MISSED_LIMIT: Final = 0.01  # share of requests that were due and not sent
STAMPLESS_LIMIT: Final = 0.01  # share of messages without a kernel stamp


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
) -> Iterator[Doubt]:
    """Everything that was measured about the measurement and is beyond its limit.

    `missing_workers` says of every worker whose share never came who it was, and
    `changed_workers` who came or left in mid-run. `planned` is how many users were to
    connect, 0 where the run was cut short.
    """
    if aborted == FORSAKEN:
        yield Doubt(
            "stopped early",
            aborted,
            "at least 1 connection",
            "the server died or dropped all users: its log says why",
            VERDICT,
        )
    elif aborted:
        yield Doubt("stopped early", aborted, "abort_on", "the plan says so: see the findings", NOTHING)
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
    if counts.get("users", 0) < planned:
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
    if due and counts.get("requests unsent", 0) / due > MISSED_LIMIT:
        share = counts["requests unsent"] / due
        yield Doubt(
            "requests unsent",
            f"{share:.1%} of {due}",
            f"{MISSED_LIMIT:.0%}",
            "the target answers too slowly for this load: fewer users or a longer interval",
            LATENCY,
        )
    yield from _clock_doubts(counts, latencies, clock_steps)


def _clock_doubts(
    counts: Mapping[str, int], latencies: Mapping[str, Distribution], clock_steps: int
) -> Iterator[Doubt]:
    lag = latencies.get(Metric.LAG, Distribution())
    if lag.n and lag.quantile(0.99) > LAG_LIMIT_NS:
        yield Doubt(
            "generator lag",
            f"p99 {lag.quantile(0.99) / 1e6:.0f} ms",
            f"{LAG_LIMIT_NS / 1e6:.0f} ms",
            "the generator is overloaded: more --processes, fewer users",
            LATENCY,
        )
    slip = latencies.get(Metric.SLIP, Distribution())
    first = latencies.get(Metric.FIRST_EVENT, Distribution())
    limit_ns = max(SLIP_LIMIT_NS, first.quantile(0.99) / 2 if first.n else 0)
    if slip.n and slip.quantile(0.99) > limit_ns:
        yield Doubt(
            "schedule slip",
            f"p99 {slip.quantile(0.99) / 1e6:.0f} ms",
            f"{limit_ns / 1e6:.0f} ms",
            "requests went out late, and times count from when they were due: more --processes, fewer users",
            LATENCY,
        )
    stampless = counts.get("messages without a kernel stamp", 0)
    messages = counts.get("messages", 0)
    if messages and stampless / messages > STAMPLESS_LIMIT:
        yield Doubt(
            "kernel stamps missing",
            f"{stampless / messages:.1%} of messages",
            f"{STAMPLESS_LIMIT:.0%}",
            "latencies are read times here: they hold the generator's own lag",
            LATENCY,
        )
    if ahead := counts.get("deliveries before their emission", 0):
        yield Doubt(
            "clock",
            f"{ahead} events arrived before they were emitted",
            "0",
            "the server's stamps lie",
            VERDICT,
        )
    if clock_steps:
        yield Doubt(
            "clock set", f"{clock_steps} times", "0", "the machine's clock was set while we measured", LATENCY
        )
