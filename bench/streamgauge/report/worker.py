"""What is reported of one generator process, live and from its recording alike."""

from streamgauge.core.analysis import AnalysisState
from streamgauge.core.histogram import Distribution
from streamgauge.core.interval import least_sample
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.vitals import Vitals
from streamgauge.report.model import Worker


def worker(name: str, state: AnalysisState, cpu_s: float, vitals: Vitals | None) -> Worker:
    """One worker of the report; `state` is its own, not that of all."""
    vitals = vitals or Vitals()
    return Worker(
        name=name,
        messages=state.counts.get("messages", 0),
        cpu_s=cpu_s,
        lag_p99_ns=_p99_ns(state.latencies[Metric.LAG]),
        cpu_share=vitals.cpu_share,
        waited=vitals.waited,
        stolen=vitals.stolen,
        loop_lag_p99_ns=_p99_ns(vitals.loop_lag),
        gc_pause_max_ns=vitals.gc_pauses.most if vitals.gc_pauses.n else None,
        collections=vitals.collections,
    )


def _p99_ns(of: Distribution) -> int | None:
    return of.quantile(0.99) if of.n >= least_sample(0.99) else None
