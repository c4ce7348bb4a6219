import random
import statistics

import msgspec
import pytest

from streamgauge.distribution import Exponential, LogNormal, Time, Uniform, draw, longest


def drawn(time: Time) -> list[float]:
    rng = random.Random(1)
    return [draw(time, rng) for _ in range(20_000)]


@pytest.mark.parametrize(
    ("time", "median"),
    [(3, 3), (Uniform(1, 3), 2), (Exponential(1), 0.693), (LogNormal(4, 0.5), 4)],
)
def test_values_lie_where_the_distribution_says(time: Time, median: float) -> None:
    assert statistics.median(drawn(time)) == pytest.approx(median, rel=0.05)


@pytest.mark.parametrize("time", [3, Uniform(1, 3), Exponential(1), LogNormal(4, 0.5)])
def test_the_longest_is_hardly_ever_exceeded(time: Time) -> None:
    values = drawn(time)
    assert sum(value > longest(time) for value in values) < 8
    assert max(values) > 0.5 * longest(time)


def test_a_uniform_range_must_not_be_turned_round() -> None:
    with pytest.raises(msgspec.ValidationError, match="low 3 is above high 1"):
        msgspec.convert({"dist": "uniform", "low": 3, "high": 1}, Time)
