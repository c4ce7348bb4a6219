import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.core import interval
from streamgauge.core.interval import (
    exact_interval,
    least_sample,
    quantile_ranks,
    share_interval,
    zero_upper_bound,
)


@pytest.mark.parametrize(
    ("q", "needed"), [(0.5, 6), (0.9, 29), (0.95, 59), (0.99, 299), (0.999, 2995), (0.01, 299)]
)
def test_a_quantile_takes_a_sample_that_carries_it(q: float, needed: int) -> None:
    assert least_sample(q) == needed
    assert quantile_ranks(q, needed - 1) is None
    assert quantile_ranks(q, needed) is not None


def coverage(q: float, n: int, ranks: tuple[int, int]) -> float:
    """The exact chance that the quantile lies between two order statistics."""
    low, high = ranks
    log = math.lgamma
    return sum(
        math.exp(log(n + 1) - log(k + 1) - log(n - k + 1) + k * math.log(q) + (n - k) * math.log1p(-q))
        for k in range(low, high)
    )


@pytest.mark.parametrize("q", [0.01, 0.25, 0.5, 0.9, 0.99, 0.999])
@pytest.mark.parametrize("times", [1, 1.01, 1.2, 1.4, 2, 5, 20])
def test_the_interval_covers_at_least_95_percent_and_wastes_little(q: float, times: float) -> None:
    n = math.ceil(least_sample(q) * times)
    ranks = quantile_ranks(q, n)
    assert ranks is not None
    assert 1 <= ranks[0] < ranks[1] <= n
    assert 0.95 <= coverage(q, n, ranks) < 0.993  # a small sample is coarse


@pytest.mark.parametrize(("q", "n"), [(0.5, 101), (0.9, 40), (0.99, 300), (0.99, 1000)])
def test_simulated_samples_are_covered_as_promised(q: float, n: int) -> None:
    ranks = quantile_ranks(q, n)
    assert ranks is not None
    truth = -math.log1p(-q)
    values = np.sort(np.random.default_rng(7).exponential(size=(10_000, n)), axis=1)
    covered = np.mean((values[:, ranks[0] - 1] <= truth) & (truth <= values[:, ranks[1] - 1]))
    assert 0.945 <= covered <= 0.985  # 0.95 less two standard errors


def test_large_samples_go_by_the_normal_approximation(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = quantile_ranks(0.99, 200_000)
    monkeypatch.setattr(interval, "_EXACT", 1000)
    near = quantile_ranks(0.99, 200_000)
    assert exact is not None
    assert near is not None
    assert near == pytest.approx(exact, abs=3)


def test_a_larger_confidence_is_a_wider_interval() -> None:
    narrow, wide = quantile_ranks(0.9, 500, 0.9), quantile_ranks(0.9, 500, 0.99)
    assert narrow is not None
    assert wide is not None
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.parametrize(("n", "bound"), [(0, 1.0), (1, 0.95), (300, 0.00994), (1_000_000, 2.9957e-6)])
def test_nothing_in_n_bounds_the_rate_at_about_3_in_n(n: int, bound: float) -> None:
    assert zero_upper_bound(n) == pytest.approx(bound, rel=1e-3)


# Shares


@pytest.mark.parametrize("of", [1, 10, 5_000])
def test_a_share_of_none_or_all_has_the_bound_of_zero(of: int) -> None:
    assert share_interval(0, of) == (0.0, zero_upper_bound(of))
    assert share_interval(of, of) == (1 - zero_upper_bound(of), 1.0)


def test_a_share_of_nothing_has_no_interval() -> None:
    assert share_interval(0, 0) is None
    assert share_interval(3, 2) is None


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(1, 10, 0.0179, 0.4042), (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)],  # Newcombe, 1998
)
def test_the_interval_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    assert share_interval(hits, of) == pytest.approx((low, high), abs=5e-5)
    mirrored = share_interval(of - hits, of)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=5e-5)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.999])
def test_simulated_shares_are_covered_as_promised(share: float) -> None:
    n = 2_000
    intervals = [share_interval(int(hits), n) for hits in np.random.default_rng(7).binomial(n, share, 5_000)]
    covered = np.mean([found is not None and found[0] <= share <= found[1] for found in intervals])
    assert covered >= 0.94


# Rates, exactly


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.3085),
        (1, 10, 0.0025, 0.4450),
        (5, 10, 0.1871, 0.8129),
        (10, 10, 0.6915, 1.0),
        (81, 263, 0.2527, 0.3676),  # this and those below: Newcombe, 1998
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0.0, 0.1684),
        (1, 29, 0.0009, 0.1776),
    ],
)
def test_the_exact_interval_is_clopper_and_pearsons(hits: int, of: int, low: float, high: float) -> None:
    assert exact_interval(hits, of) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("of", [1, 7, 1_000, 10**9])
def test_of_none_and_of_all_it_has_a_closed_form(of: int) -> None:
    bound = -math.expm1(math.log(0.025) / of)
    assert exact_interval(0, of) == pytest.approx((0.0, bound), rel=1e-6)
    assert exact_interval(of, of) == pytest.approx((1 - bound, 1.0), rel=1e-6)


trials = st.integers(1, 200).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


@given(trials)
def test_at_its_ends_half_the_rest_is_left(trial: tuple[int, int]) -> None:
    hits, of = trial
    low, high = exact_interval(hits, of)
    assert 0 <= low <= hits / of <= high <= 1
    assert hits == 0 or chance(of, low, hits, of) == pytest.approx(0.025, rel=1e-6)
    assert hits == of or chance(of, high, 0, hits) == pytest.approx(0.025, rel=1e-6)


@given(trials)
def test_it_is_the_mirror_image_of_the_misses_and_wider_than_one_sided(trial: tuple[int, int]) -> None:
    hits, of = trial
    low, high = exact_interval(hits, of)
    assert exact_interval(of - hits, of) == pytest.approx((1 - high, 1 - low), abs=1e-9)
    assert exact_interval(0, of)[1] > zero_upper_bound(of)


@given(st.integers(1, 40), st.floats(0.001, 0.999))
def test_it_never_covers_less_than_promised(of: int, rate: float) -> None:
    covering = [hits for hits in range(of + 1) if (e := exact_interval(hits, of))[0] <= rate <= e[1]]
    assert sum(chance(of, rate, hits, hits) for hits in covering) >= 0.95 - 1e-9


def chance(of: int, rate: float, least: int, most: int) -> float:
    """The chance of so many hits."""
    return sum(math.comb(of, k) * rate**k * (1 - rate) ** (of - k) for k in range(least, most + 1))


@pytest.mark.parametrize(("hits", "of"), [(0, 0), (-1, 3), (4, 3)])
def test_no_trials_have_no_interval(hits: int, of: int) -> None:
    with pytest.raises(ValueError, match="trials"):
        exact_interval(hits, of)
