"""What was measured, as a report has it: quantiles with their intervals, where the sample carries them."""

from typing import Final

from streamgauge.core.analysis import AnalysisState
from streamgauge.core.histogram import Distribution
from streamgauge.core.interval import least_sample, quantile_ranks, share_interval
from streamgauge.core.measured import BETWEEN_CLOCKS, OF_GENERATOR
from streamgauge.core.metrics.goodput import GoodputState
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.metrics.streams import CHUNK_GAP, StreamState
from streamgauge.report.model import Duration, Goodput, Quantile, RateQuantile, Streams

QUANTILES: Final = (0.5, 0.9, 0.99, 0.999)
RATE_QUANTILES: Final = (0.01, 0.1, 0.5, 0.9)  # slow streams are the ones that hurt
_ORDER: Final = (*Metric, CHUNK_GAP)  # of the durations


def durations_of(state: AnalysisState, *, doubtful: bool) -> tuple[Duration, ...]:
    """All that were measured, in the order of `_ORDER`."""
    latencies = state.latencies
    names = [*(name for name in _ORDER if name in latencies), *sorted(latencies.keys() - set(_ORDER))]
    return tuple(
        Duration(
            name=str(name),
            n=of.n,
            mean_ns=of.mean if of.n else None,
            most_ns=of.most if of.n else None,
            quantiles=tuple(_quantile(of, q) for q in QUANTILES),
            distribution=of,
            doubtful=doubtful and name not in OF_GENERATOR,
            bound_ns=state.clock_bound_ns if name in BETWEEN_CLOCKS else 0,
        )
        for name in names
        for of in [latencies[name]]
    )


def _quantile(of: Distribution, q: float) -> Quantile:
    needs = least_sample(q)
    ranks = quantile_ranks(q, of.n)
    if ranks is None:
        return Quantile(q, needs=needs)
    low, high = ranks
    return Quantile(q, of.quantile(q), of.at_rank(low), of.at_rank(high), needs)


def goodput_of(of: GoodputState, duration_s: float, *, doubtful: bool) -> Goodput:
    """How many runs were good, a second and of all, with the interval of that share."""
    low, high = share_interval(of.good, of.of) or (None, None)
    return Goodput(
        good=of.good,
        of=of.of,
        per_s=of.good / duration_s if duration_s > 0 else None,
        low=low,
        high=high,
        broken=of.broken,
        unfinished=of.unfinished,
        beyond=of.beyond,
        doubtful=doubtful,
    )


def streams_of(of: StreamState, *, doubtful: bool) -> Streams:
    """How answers streamed, with the quantiles of their rates."""
    return Streams(
        stall_ns=of.stall_ns,
        streams=of.streams,
        chunks=of.chunks,
        at_once=of.at_once,
        stalls=of.stalls,
        stalled=of.stalled,
        quantiles=tuple(_rate_quantile(of.rates, q) for q in RATE_QUANTILES),
        distribution=of.rates,
        doubtful=doubtful,
    )


def _rate_quantile(of: Distribution, q: float) -> RateQuantile:
    """Rates are kept in thousandths."""
    found = _quantile(of, q)
    value, low, high = (
        None if milli is None else milli / 1_000 for milli in (found.value_ns, found.low_ns, found.high_ns)
    )
    return RateQuantile(q, value, low, high, found.needs)
