import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.core.student import chance_above, quantile


@pytest.mark.parametrize(
    ("p", "freedom", "value"),
    [  # from the printed tables
        (0.95, 1, 6.3138),
        (0.975, 2, 4.3027),
        (0.95, 11, 1.7959),
        (0.975, 22, 2.0739),
        (0.9995, 30, 3.6460),
        (0.8, 22, 0.8583),
        (0.975, 1e6, 1.95996),
    ],
)
def test_quantiles_of_the_tables(p: float, freedom: float, value: float) -> None:
    assert quantile(p, freedom) == pytest.approx(value, abs=5e-5)
    assert quantile(1 - p, freedom) == pytest.approx(-value, abs=5e-5)


def test_one_degree_of_freedom_is_cauchys() -> None:
    for t in (-3.0, -0.5, 0.0, 0.1, 2.0, 50.0):
        assert chance_above(t, 1) == pytest.approx(0.5 - math.atan(t) / math.pi, abs=1e-12)


@given(st.floats(0.001, 0.999), st.floats(1, 1_000))
def test_a_quantile_is_exceeded_as_often_as_it_says(p: float, freedom: float) -> None:
    assert chance_above(quantile(p, freedom), freedom) == pytest.approx(1 - p, abs=1e-9)


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(1, 100))
def test_more_is_exceeded_less_often(one: float, other: float, freedom: float) -> None:
    low, high = sorted((one, other))
    assert chance_above(low, freedom) >= chance_above(high, freedom) - 1e-12
