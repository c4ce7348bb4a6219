import random
from itertools import islice, takewhile

import msgspec
import pytest

from streamgauge.arrivals import (
    Arrivals,
    Constant,
    Lockstep,
    Poisson,
    Ramp,
    Spike,
    Steps,
    due_times,
    rate,
)

SECOND = 1_000_000_000


def asked(arrivals: Arrivals, seconds: float, seed: int = 1, now_s: float = 0) -> list[float]:
    """The due times of one user, in seconds, up to `seconds`."""
    due = due_times(arrivals, 0, int(now_s * SECOND), random.Random(seed))
    return [at / SECOND for at in takewhile(lambda at: at < seconds * SECOND, due)]


def between(times: list[float], low: float, high: float) -> int:
    return sum(low <= at < high for at in times)


@pytest.mark.parametrize(
    ("arrivals", "at_s", "per_second"),
    [
        (Ramp(start=2, end=0.5, over=10), 0, 0.5),
        (Ramp(start=2, end=0.5, over=10), 5, 1.25),
        (Ramp(start=2, end=0.5, over=10), 60, 2),
        (Steps(intervals=(2, 1, 0.5), every=10), 9.9, 0.5),
        (Steps(intervals=(2, 1, 0.5), every=10), 10, 1),
        (Steps(intervals=(2, 1, 0.5), every=10), 99, 2),
        (Spike(interval=2, at=5, lasting=1, factor=20), 4.9, 0.5),
        (Spike(interval=2, at=5, lasting=1, factor=20), 5, 10),
        (Spike(interval=2, at=5, lasting=1, factor=20), 6, 0.5),
    ],
)
def test_the_rate_at_a_moment(arrivals: Ramp | Steps | Spike, at_s: float, per_second: float) -> None:
    assert rate(arrivals, at_s) == pytest.approx(per_second)


def test_a_spike_is_where_the_plan_puts_it() -> None:
    times = asked(Spike(interval=0.1, at=100, lasting=100, factor=5), 300)
    assert between(times, 0, 100) == pytest.approx(1000, rel=0.15)
    assert between(times, 100, 200) == pytest.approx(5000, rel=0.1)
    assert between(times, 200, 300) == pytest.approx(1000, rel=0.15)


def test_a_ramp_grows() -> None:
    times = asked(Ramp(start=1, end=0.01, over=100), 100)
    assert between(times, 0, 50) * 2 < between(times, 50, 100)


def test_who_comes_late_meets_the_rate_of_that_moment() -> None:
    late = asked(Steps(intervals=(10, 0.1), every=100), 200, now_s=150)
    assert min(late) >= 150
    assert len(late) == pytest.approx(500, rel=0.15)


def test_constant_users_keep_phases_of_their_own() -> None:
    firsts = {next(iter(asked(Constant(interval=1), 2, seed=seed))) for seed in range(20)}
    assert len(firsts) == 20


def test_in_lockstep_all_are_due_at_once() -> None:
    assert asked(Lockstep(interval=1), 5, seed=1) == asked(Lockstep(interval=1), 5, seed=2)


def test_poisson_users_differ_by_their_seed() -> None:
    one, other = (list(islice(asked(Poisson(interval=1), 50, seed=seed), 5)) for seed in (1, 2))
    assert one != other


def test_a_kind_is_read_from_its_name() -> None:
    assert msgspec.convert({"kind": "ramp", "start": 4, "end": 1, "over": 9}, Arrivals) == Ramp(4, 1, 9)


@pytest.mark.parametrize(
    ("plain", "says"),
    [
        ({"kind": "constant", "interval": 1e-9}, "1e+09 requests a second of one user; at most 1,000"),
        ({"kind": "poisson", "interval": 0.0009}, "requests a second of one user; at most 1,000"),
        ({"kind": "lockstep", "interval": 1e300}, "<= 1000000000.0"),
        ({"kind": "lockstep", "interval": float("inf")}, "<= 1000000000.0"),
        ({"kind": "poisson", "interval": float("nan")}, "> 0.0"),
        ({"kind": "spike", "interval": 1, "at": 0, "lasting": 1, "factor": 1e308}, "<= 1000.0"),
        ({"kind": "spike", "interval": 1, "at": 0, "lasting": 1, "factor": 1001}, "<= 1000.0"),
        ({"kind": "spike", "interval": 0.01, "at": 0, "lasting": 1, "factor": 11}, "1,100 requests a second"),
        ({"kind": "steps", "intervals": [1, 0.0001], "every": 1}, "10,000 requests a second"),
        ({"kind": "steps", "intervals": [100, 0.01], "every": 1}, "10,000 times the slowest; at most 1,000"),
        ({"kind": "ramp", "start": 1e9, "end": 1, "over": 9}, "1e+09 times the slowest"),
    ],
)
def test_a_rate_that_cannot_be_generated_is_refused_by_the_limit(plain: dict[str, object], says: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(plain, Arrivals)
    assert says in str(refused.value)


def test_the_fastest_that_can_be_generated_is_not() -> None:
    msgspec.convert({"kind": "steps", "intervals": [1, 0.001], "every": 1}, Arrivals)


def test_an_unknown_kind_or_key_is_refused() -> None:
    for plain in (
        {"kind": "waves"},
        {"kind": "poisson", "pace": 2},
        {"kind": "steps", "intervals": [], "every": 1},
    ):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(plain, Arrivals)
