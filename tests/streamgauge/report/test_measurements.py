from collections.abc import Callable

import pytest
from msgspec.structs import replace

from streamgauge.core.finding import Doubt
from streamgauge.core.metrics.goodput import GoodputState
from streamgauge.core.metrics.streams import StreamState
from streamgauge.report.model import RateQuantile, Report

Make = Callable[..., Report]


def test_a_quantile_stands_only_where_the_sample_carries_it(make: Make) -> None:
    p50, p90, p99, p999 = make(runs=1_000).durations[0].quantiles
    for quantile in (p50, p90, p99):
        assert quantile.value_ns is not None
        assert quantile.low_ns is not None
        assert quantile.high_ns is not None
        assert quantile.low_ns <= quantile.value_ns <= quantile.high_ns
    assert p50.value_ns == pytest.approx(1_499_000, rel=0.01)
    assert (p999.value_ns, p999.low_ns, p999.high_ns, p999.needs) == (None, None, None, 2_995)


def test_the_smallest_samples_for_p99(make: Make) -> None:
    assert make(runs=298).durations[0].quantiles[2].value_ns is None
    assert make(runs=299).durations[0].quantiles[2].value_ns is not None


def test_mean_and_maximum_are_exact(make: Make) -> None:
    first = make(runs=11).durations[0]
    assert (first.n, first.mean_ns, first.most_ns) == (11, 1_005_000.0, 1_010_000)


def test_goodput_is_per_second_and_a_share_with_its_interval(make: Make) -> None:
    limits = {"run < 30s": 3, "first_event < 1s": 0}
    goodput = make(goodput=GoodputState(1_000, 990, 4, 5, limits)).goodput
    assert (goodput.good, goodput.of, goodput.per_s) == (990, 1_000, 247.5)
    assert (goodput.broken, goodput.unfinished, goodput.beyond) == (4, 5, limits)
    assert goodput.low is not None
    assert goodput.high is not None
    assert 0.98 < goodput.low < 0.99 < goodput.high < 1


def test_goodput_of_nothing_has_no_share(make: Make) -> None:
    goodput = make(runs=0).goodput
    assert (goodput.of, goodput.low, goodput.high) == (0, None, None)


def test_goodput_with_limits_is_as_doubtful_as_the_latency(make: Make, lagging: Doubt, dead: Doubt) -> None:
    limited = GoodputState(1_000, 990, beyond={"run < 30s": 10})
    assert make(goodput=limited, doubts=[lagging]).goodput.doubtful
    assert not make(doubts=[lagging]).goodput.doubtful
    assert make(doubts=[dead]).goodput.doubtful
    assert not make(goodput=limited).goodput.doubtful


def test_chunks_per_second_have_the_quantiles_that_the_streams_carry(
    make: Make, streaming: StreamState
) -> None:
    streams = make(streams=streaming).streams
    assert (streams.streams, streams.chunks, streams.at_once) == (301, 6_020, 1)
    assert (streams.stalls, streams.stalled, streams.stall_ns) == (3, 2, 1_000_000_000)
    assert [rate.q for rate in streams.quantiles] == [0.01, 0.1, 0.5, 0.9]
    for rate in streams.quantiles:
        told = (rate.low_per_s, rate.value_per_s, rate.high_per_s)
        assert told == pytest.approx((20.15,) * 3, rel=0.02)
    few = replace(streaming, rates=replace(streaming.rates, n=298))
    assert make(streams=few).streams.quantiles[0] == RateQuantile(0.01, needs=299)


def test_streams_are_as_doubtful_as_the_latency(make: Make, streaming: StreamState, lagging: Doubt) -> None:
    assert make(streams=streaming, doubts=[lagging]).streams.doubtful
    assert not make(streams=streaming).streams.doubtful
