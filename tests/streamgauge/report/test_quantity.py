import pytest

from streamgauge.core.threshold import Unit
from streamgauge.report import quantity


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 µs"),
        (7, "0.007 µs"),
        (999, "0.999 µs"),
        (1_000, "1.00 µs"),
        (9_994, "9.99 µs"),
        (9_996, "10.0 µs"),
        (99_960, "100 µs"),
        (999_499, "999 µs"),
        (999_600, "1.00 ms"),
        (12_345_678, "12.3 ms"),
        (999_600_000, "1.00 s"),
        (61_000_000_000, "61.0 s"),
        (86_400_000_000_000, "86,400 s"),
    ],
)
def test_durations_have_three_digits(ns: int, text: str) -> None:
    assert quantity.duration(ns) == text


@pytest.mark.parametrize(
    ("good", "of", "text"),
    [
        (3, 3, "100 %"),
        (999_999, 1_000_000, "99.99 %"),
        (1, 3, "33.33 %"),
        (1, 1_000_000, "< 0.01 %"),
        (0, 5, "0.00 %"),
        (0, 0, "nothing to count"),
    ],
)
def test_a_share_is_never_rounded_up(good: int, of: int, text: str) -> None:
    assert quantity.share(good, of) == text


def test_counts_and_things() -> None:
    assert quantity.count(1_234_567) == "1,234,567"
    assert quantity.some(1, "run") == "1 run"
    assert quantity.some(0, "run") == "0 runs"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (50_000_000, Unit.NS, "50.0 ms"),
        (12.345, Unit.PER_SECOND, "12.3/s"),
        (1_234, Unit.COUNT, "1,234"),
        (0, Unit.SHARE, "0 %"),
        (1, Unit.SHARE, "100 %"),
        (0.5, Unit.SHARE, "50.00 %"),
        (0.999, Unit.SHARE, "99.90 %"),
        (0.99999, Unit.SHARE, "99.9990 %"),
        (3.1e-7, Unit.SHARE, "0.000031 %"),
    ],
)
def test_an_amount_stands_in_its_unit(value: float, unit: Unit, text: str) -> None:
    assert quantity.amount(value, unit) == text


@pytest.mark.parametrize("value", [1e-12, 1e-9, 0.00004, 0.99996, 1 - 1e-9, 1 - 1e-12])
def test_a_part_is_never_rounded_to_nothing_or_to_all(value: float) -> None:
    assert not quantity.part(value).startswith("100")
    assert float(quantity.part(value).split()[0]) > 0


@pytest.mark.parametrize(
    ("ns", "text"),
    [(1_000, "1 µs"), (1_500_000, "1.5 ms"), (200_000_000, "200 ms"), (1e9, "1 s"), (5e12, "5,000 s")],
)
def test_round_durations_are_short(ns: float, text: str) -> None:
    assert quantity.round_duration(ns) == text
