import math
import random

import pytest

from streamgauge.core.cost_model import FIXED, PER_EVENT, PER_USER, Contention, Point, contention, fit

FEW_AND_MANY = [(users, rate * users) for users in (50, 100, 200, 400) for rate in (2, 10)]


def points(
    of: list[tuple[int, int]], *, fixed: float, user: float, event: float, noise: float = 0
) -> list[Point]:
    rng = random.Random(7)
    return [
        Point(users, events, fixed + user * users + event * events + rng.gauss(0, noise))
        for users, events in of
    ]


def test_known_costs_are_found_again() -> None:
    costs = fit(points(FEW_AND_MANY, fixed=0.05, user=0.0004, event=0.0001))
    assert costs is not None
    assert costs.apart
    assert costs.coefficients == pytest.approx({FIXED: 0.05, PER_USER: 0.0004, PER_EVENT: 0.0001})
    assert costs.at(10_000, 50_000).value == pytest.approx(0.05 + 4 + 5)


def test_where_every_user_brings_the_same_events_their_costs_are_not_told_apart() -> None:
    costs = fit(points([(n, 10 * n) for n in (100, 200, 400, 800)], fixed=0.1, user=0.001, event=0.0002))
    assert costs is not None
    assert not costs.apart
    assert costs.coefficients == pytest.approx({FIXED: 0.1, PER_USER: 0.003})


def test_nearly_the_same_is_not_told_apart_either() -> None:
    nearly = [(100, 1_010), (200, 1_950), (400, 4_100), (800, 7_900)]
    costs = fit(points(nearly, fixed=0, user=0.001, event=0.0002))
    assert costs is not None
    assert not costs.apart


def test_no_cost_is_negative() -> None:
    falling = [Point(100, 200, 1.0), Point(200, 2_000, 0.9), Point(400, 800, 0.8), Point(800, 8_000, 0.7)]
    costs = fit(falling)
    assert costs is not None
    assert costs.coefficients == pytest.approx({FIXED: 0.85, PER_USER: 0, PER_EVENT: 0})


def test_one_size_puts_all_on_its_users() -> None:
    costs = fit([Point(100, 1_000, 0.2), Point(100, 1_000, 0.3)])
    assert costs is not None
    assert costs.coefficients == pytest.approx({PER_USER: 0.0025})


def test_no_points_no_costs() -> None:
    assert fit([]) is None


def test_as_many_costs_as_points_leave_no_error_to_be_known() -> None:
    costs = fit([Point(100, 1_000, 0.2), Point(200, 2_000, 0.3)])
    assert costs is not None
    assert costs.at(300, 3_000).value == pytest.approx(0.4)
    assert costs.at(300, 3_000).half_width is None


def test_the_error_is_of_the_noise_and_grows_with_the_distance() -> None:
    costs = fit(points(FEW_AND_MANY * 5, fixed=0.05, user=0.001, event=0.0001, noise=0.01))
    assert costs is not None
    assert costs.residual == pytest.approx(0.01, rel=0.4)
    near, far = costs.at(200, 1_200), costs.at(20_000, 120_000)
    assert near.half_width is not None
    assert far.half_width is not None
    assert 0.01 < near.half_width < 0.05 < far.half_width
    assert abs(far.value - 32.05) < far.half_width


def test_the_interval_holds_what_it_says() -> None:
    """One more run lies within 95 % of the time."""
    rng = random.Random(3)
    held = 0
    for _ in range(400):
        of = [Point(n, 10 * n, 0.1 + 0.001 * n + rng.gauss(0, 0.05)) for n in (100, 200, 300, 400, 500, 600)]
        costs = fit(of)
        assert costs is not None
        estimate = costs.at(800, 8_000)
        assert estimate.half_width is not None
        held += abs(estimate.value - (0.9 + rng.gauss(0, 0.05))) <= estimate.half_width
    assert 0.91 < held / 400 < 0.98


# Contention


def test_the_laws_parameters_are_found_again() -> None:
    law = Contention(10, 0.001, 0.000_002)
    found = contention([(n, law.throughput(n)) for n in (50, 100, 200, 400, 800)])
    assert found is not None
    assert (found.per_user, found.sigma, found.kappa) == pytest.approx((10, 0.001, 0.000_002))
    assert found.peak_users == pytest.approx(math.sqrt(0.999 / 0.000_002))
    assert found.most == pytest.approx(law.throughput(706.75), rel=1e-3)


def test_without_a_peak_it_approaches_its_most() -> None:
    law = Contention(10, 0.01, 0)
    found = contention([(n, law.throughput(n)) for n in (50, 100, 200, 400)])
    assert found is not None
    assert found.peak_users is None
    assert found.most == pytest.approx(1_000)


def test_throughput_that_grows_with_the_users_shows_no_contention() -> None:
    assert contention([(n, 10 * n) for n in (50, 100, 200)]) is None
    assert contention([(100, 1_000), (200, 1_980), (400, 3_900)]) is None


def test_noise_is_hardly_ever_taken_for_contention() -> None:
    rng = random.Random(5)
    sizes = (20, 28, 30, 30, 30, 40, 40, 40)
    seen = [contention([(n, 10 * n * rng.gauss(1, 0.08)) for n in sizes]) for _ in range(400)]
    assert sum(law is not None for law in seen) < 12


def test_contention_is_seen_through_noise() -> None:
    rng = random.Random(5)
    law = Contention(10, 0.01, 0)
    sizes = (25, 50, 100, 200, 300, 300, 350, 350)
    seen = [contention([(n, law.throughput(n) * rng.gauss(1, 0.05)) for n in sizes]) for _ in range(100)]
    assert sum(found is not None for found in seen) > 95


def test_two_sizes_are_too_few_for_three_parameters() -> None:
    assert contention([(100, 1_000), (200, 1_200), (200, 1_210)]) is None
