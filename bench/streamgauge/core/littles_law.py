"""Little's law as a proof that all waiting was counted (J. D. C. Little, 1961: L = λW).

Over a whole run the runs under way are, on average, their rate times their mean time. The
left side is sampled at random moments, without regard to any stamp or latency; the right
side is what the reported run times add up to. Where users waited and no run time tells, or
run times tell of a waiting that nobody saw, the two part. Random (Poisson) moments see what
time averages see, even of users in lockstep (R. W. Wolff, 1982).
"""

from collections.abc import Mapping, Sequence
from math import hypot
from typing import Final

from streamgauge.core.finding import LATENCY, Doubt
from streamgauge.core.histogram import Distribution
from streamgauge.core.metrics import tally
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.vitals import Vitals

_LEAST_SAMPLES: Final = 10
_LEAST_UNDER_WAY: Final = 5  # below, what a sample costs and what a run ends late by weigh too much
_LEAST_COMPLETED: Final = 0.99  # only completed runs have a run time
_CERTAIN: Final = 3  # standard errors


def broken_law(
    counts: Mapping[str, int],
    latencies: Mapping[str, Distribution],
    vitals: Sequence[Vitals],
    limit: float,
) -> Doubt | None:
    """A doubt where the two sides part by more than the share `limit` of the larger, and not by chance.

    None too where it cannot be told: samples, runs under way or completed runs are too few.
    A request is under way from when it is sent, its run time counts from when it was due:
    the schedule slip between is taken off.
    """
    told = vitals and all(of.under_way.n >= _LEAST_SAMPLES for of in vitals)
    if not told or counts.get("runs completed", 0) < _LEAST_COMPLETED * tally.runs(counts):
        return None
    lasted_ns = max(of.lasted_ns for of in vitals)
    seen_ns = sum(of.under_way.mean * of.lasted_ns for of in vitals)
    error_ns = hypot(*(of.under_way.error * of.lasted_ns for of in vitals))
    run, slip = (latencies.get(metric, Distribution()) for metric in (Metric.RUN, Metric.SLIP))
    reported_ns = max(0, run.total - slip.total)
    larger_ns = max(seen_ns, reported_ns)
    apart_ns = abs(seen_ns - reported_ns)
    if larger_ns < _LEAST_UNDER_WAY * lasted_ns or apart_ns <= max(limit * larger_ns, _CERTAIN * error_ns):
        return None
    if seen_ns > reported_ns:
        advice = "users waited and no run time tells: look at the generator lag, and at users' own code"
    else:
        advice = "run times tell of a waiting that nobody saw: the stamps or the recording are wrong"
    return Doubt(
        "Little's law",
        f"{seen_ns / lasted_ns:,.1f} runs were under way, "
        f"but their rate times their time makes {reported_ns / lasted_ns:,.1f}",
        f"{limit:.0%} apart",
        advice,
        LATENCY,
    )
