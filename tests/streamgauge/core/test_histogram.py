import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamgauge.core.histogram import Distribution, Histogram

MOST = 2**53  # 104 days
durations = st.one_of(
    st.integers(0, 300), st.integers(0, MOST), st.integers(0, 52).map(lambda n: 2**n), st.just(2**40 - 1)
)
samples = st.lists(durations, min_size=1, max_size=60)


def distribution(*values: int) -> Distribution:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram.distribution()


def test_small_values_are_exact() -> None:
    known = distribution(*range(128))
    assert [known.at_rank(rank) for rank in range(1, 129)] == list(range(128))


def test_what_is_known_without_buckets_is_exact() -> None:
    known = distribution(1_000_003, 17, 999_999_937)
    assert (known.n, known.total, known.least, known.most) == (3, 1_000_999_957, 17, 999_999_937)
    assert known.mean == 1_000_999_957 / 3
    assert (known.quantile(0), known.quantile(1)) == (17, 999_999_937)


@given(samples)
@settings(deadline=None, max_examples=60)
def test_every_value_comes_back_within_0_8_percent(values: list[int]) -> None:
    known = distribution(*values)
    for rank, value in enumerate(sorted(values), 1):
        assert abs(known.at_rank(rank) - value) <= 0.008 * value


@given(samples, st.lists(st.floats(0, 1), min_size=2, max_size=10))
@settings(deadline=None, max_examples=60)
def test_quantiles_are_monotone_and_within_what_was_seen(values: list[int], shares: list[float]) -> None:
    known = distribution(*values)
    quantiles = [known.quantile(q) for q in sorted(shares)]
    assert quantiles == sorted(quantiles)
    assert known.least <= quantiles[0] <= quantiles[-1] <= known.most


@pytest.mark.parametrize("q", ["0.5", "0.9", "0.95", "0.99", "0.999"])
def test_a_quantile_is_the_value_that_its_share_does_not_exceed(q: str) -> None:
    for n in range(1, 128):
        assert distribution(*range(n)).quantile(float(q)) == math.ceil(Fraction(q) * n) - 1


@given(st.lists(samples, min_size=1, max_size=4))
@settings(deadline=None, max_examples=60)
def test_merging_is_the_same_as_collecting_together(parts: list[list[int]]) -> None:
    merged = Distribution()
    for values in parts:
        merged = merged.merge(distribution(*values))
    assert merged == distribution(*(value for values in parts for value in values))


@given(samples, samples, samples)
@settings(deadline=None, max_examples=40)
def test_merging_is_associative_and_commutative(one: list[int], two: list[int], three: list[int]) -> None:
    a, b, c = distribution(*one), distribution(*two), distribution(*three)
    assert a.merge(b) == b.merge(a)
    assert a.merge(b).merge(c) == a.merge(b.merge(c))


def test_nothing_is_neutral() -> None:
    some = distribution(3, 5_000)
    assert some.merge(Distribution()) == Distribution().merge(some) == some


def test_negative_values_are_counted_and_left_out() -> None:
    histogram = Histogram()
    for value in (-1, 5, -10_000_000, 7):
        histogram.add(value)
    known = histogram.distribution()
    assert (known.n, known.total, known.least) == (2, 12, 5)
    assert histogram.negative == 2
    assert histogram.nearest == -1
    histogram.add(-3)
    histogram.distribution()
    assert histogram.nearest == -1


def test_of_no_negative_value_none_is_nearest() -> None:
    histogram = Histogram()
    histogram.add(0)
    histogram.distribution()
    assert histogram.nearest == 0


def test_only_negative_values_leave_nothing() -> None:
    assert distribution(-1, -2) == Distribution()


def test_batches_and_questions_in_between_change_nothing() -> None:
    histogram = Histogram()
    values = [n * n for n in range(20_000)]  # more than two batches
    for value in values:
        histogram.add(value)
        if value == 144:
            assert histogram.distribution().n == 13
    known = histogram.distribution()
    assert (known.n, known.total, known.most) == (20_000, sum(values), values[-1])
    assert histogram.distribution() == known


@pytest.mark.parametrize("rank", [0, 3])
def test_there_is_no_rank_outside_the_sample(rank: int) -> None:
    with pytest.raises(ValueError, match=f"rank {rank} of 2 values"):
        distribution(1, 2).at_rank(rank)
