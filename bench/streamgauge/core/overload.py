"""Whether a generator process was too busy, or too starved, to keep its own time.

None of this touches the moment at which the kernel stamped a message. But a process that
comes late to its sockets and its schedule sends late, offers another load than the plan's,
and whatever counts from when a request was due holds the generator's own time.
"""

from collections.abc import Iterator, Sequence

from streamgauge.core.doubt_limits import DoubtLimits
from streamgauge.core.finding import LATENCY, Doubt
from streamgauge.core.histogram import Distribution
from streamgauge.core.interval import least_sample
from streamgauge.core.vitals import Process


def overload(processes: Sequence[Process], limits: DoubtLimits) -> Iterator[Doubt]:
    """The doubts about the worst of the processes, one a limit; what is unknown is not doubted."""
    known = [(process.name, process.vitals) for process in processes if process.vitals is not None]

    def worst(values: list[tuple[float, str]], limit: float) -> tuple[float, str] | None:
        return max((value for value in values if value[0] > limit), default=None)

    def shares(of: "list[tuple[float | None, str]]") -> list[tuple[float, str]]:
        return [(share, name) for share, name in of if share is not None]

    cpu = shares([(vitals.cpu_share, name) for name, vitals in known])
    if found := worst(cpu, limits.generator_cpu):
        yield Doubt(
            "generator CPU",
            f"{found[0]:.0%} of a core in the busiest tenth of seconds, by {found[1]}",
            f"{limits.generator_cpu:.0%}",
            "the generator is the bottleneck: more --processes, fewer users",
            LATENCY,
        )
    if found := worst(shares([(vitals.waited, name) for name, vitals in known]), limits.run_queue_wait):
        yield Doubt(
            "run-queue wait",
            f"{found[1]} had no processor for {found[0]:.0%} of the time",
            f"{limits.run_queue_wait:.0%}",
            "something else takes its processors: stop it, or give the server other cores",
            LATENCY,
        )
    if found := worst(shares([(vitals.stolen, name) for name, vitals in known]), limits.steal):
        yield Doubt(
            "steal",
            f"{found[0]:.0%} of the machine's processor time",
            f"{limits.steal:.0%}",
            "the host gave it to others: repeat the run, or take a machine of your own",
            LATENCY,
        )
    lags = {name: vitals.loop_lag for name, vitals in known if vitals.loop_lag.n}
    seconds = [(lag.quantile(0.99) / 1e9, name) for name, lag in lags.items()]
    if found := worst(seconds, limits.loop_lag_p99):
        yield Doubt(
            "loop lag",
            f"{p99(lags[found[1]])}, in {found[1]}",
            f"{limits.loop_lag_p99 * 1e3:.0f} ms",
            "something blocks the event loop (a scenario's own code?), or the generator is overloaded",
            LATENCY,
        )
    if found := worst([(vitals.gc_pauses.most / 1e9, name) for name, vitals in known], limits.gc_pause_max):
        yield Doubt(
            "garbage collection",
            f"everything stood still for {found[0] * 1e3:.0f} ms, in {found[1]}",
            f"{limits.gc_pause_max * 1e3:.0f} ms",
            "there is too much in one process: more --processes, fewer users in each",
            LATENCY,
        )


def p99(of: Distribution) -> str:
    """The p99 in words; the most, and of how many, where they do not carry a p99."""
    if of.n < least_sample(0.99):
        return f"up to {of.most / 1e6:.0f} ms (n = {of.n})"
    return f"p99 {of.quantile(0.99) / 1e6:.0f} ms"
