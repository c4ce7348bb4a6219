"""Numbers of a breach are kept as ranges: the first twenty, and how many more there are."""

import pytest

from streamgauge.core.checks.problem import extended
from streamgauge.core.finding import Ranges

TWENTY = tuple((n, n) for n in range(0, 60, 3))


@pytest.mark.parametrize(
    ("numbers", "more", "number", "expected"),
    [
        (((1, 1),), 0, 2, (((1, 2),), 0)),
        (((1, 2),), 0, 3, (((1, 3),), 0)),
        (((5, 5), (1, 2)), 0, 3, (((5, 5), (1, 3)), 0)),
        (((1, 2),), 0, 2, (((1, 2), (2, 2)), 0)),
        (((1, 2),), 0, 4, (((1, 2), (4, 4)), 0)),
        (TWENTY[:19], 0, 57, (TWENTY, 0)),
        (TWENTY, 0, 58, ((*TWENTY[:19], (57, 58)), 0)),
        (TWENTY, 0, 60, (TWENTY, 1)),
        (TWENTY, 1, 58, (TWENTY, 2)),  # not as it came
    ],
)
def test_a_number_more_goes_on_where_the_last_one_stands(
    numbers: Ranges, more: int, number: int, expected: tuple[Ranges, int]
) -> None:
    assert extended(numbers, more, number) == expected
