import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.core.checks.offsets import OffsetTrack


def track(*offsets: int) -> tuple[OffsetTrack, list[str]]:
    """A session that was sent these offsets, one a nanosecond, and what was said of each."""
    session = OffsetTrack()
    return session, [session.add(offset, at_ns) for at_ns, offset in enumerate(offsets)]


@pytest.mark.parametrize(
    ("offsets", "said", "missing"),
    [
        ([1, 2, 3], ["", "", ""], []),
        ([1, 3], ["", ""], [(2, 1)]),
        ([2], [""], [(1, 0)]),
        ([1, 3, 2, 4], ["", "", "step back", ""], []),
        ([1, 2, 2], ["", "", "repeat"], []),
        ([1, 2, 3, 1], ["", "", "", "repeat"], []),
        ([5, 3, 3], ["", "step back", "repeat"], [(1, 0), (2, 0), (4, 0)]),
        ([5, 1, 4], ["", "step back", "step back"], [(2, 0), (3, 0)]),
        ([2, 3, 6, 5], ["", "", "", "step back"], [(1, 0), (4, 2)]),
    ],
)
def test_departures_are_called_what_they_are(
    offsets: list[int], said: list[str], missing: list[tuple[int, int]]
) -> None:
    session, heard = track(*offsets)
    assert heard == said
    assert [(offset, gap.at_ns) for gap in session.missing(0) for offset in gap.offsets] == missing


@pytest.mark.parametrize(
    ("explained", "expected"),
    [
        (0, [range(2, 3), range(4, 7)]),
        (1, [range(4, 7)]),
        (2, [range(5, 7)]),
        (4, []),
        (9, []),
    ],
)
def test_some_that_are_missing_may_be_explained(explained: int, expected: list[range]) -> None:
    session, _ = track(1, 3, 7)
    assert [gap.offsets for gap in session.missing(explained)] == expected


def test_a_server_that_jumps_to_any_number_costs_nothing() -> None:
    session, said = track(1, 2**63 - 1, 2**40)
    assert said == ["", "", "step back"]
    assert [gap.offsets for gap in session.missing(2**62)] == [range(2**62 + 3, 2**63 - 1)]


@given(st.integers(0, 25), st.integers())
def test_in_any_order_all_come_and_nothing_is_missing(n: int, seed: int) -> None:
    offsets = list(range(1, n + 1))
    random.Random(seed).shuffle(offsets)
    session, said = track(*offsets)
    assert session.missing(0) == []
    assert "repeat" not in said
    assert ("step back" in said) is (offsets != sorted(offsets))


def test_a_gap_that_is_filled_is_forgotten() -> None:
    session, _ = track(1, 4, 2, 3)
    assert session.gaps == []
