"""Whatever a stretch takes, it takes as the reference reads it: streams of all kinds, sound and broken."""

from functools import reduce
from random import Random

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.support.held import Held, hold

pytestmark = pytest.mark.usefixtures("compiled")


@settings(deadline=None, max_examples=150)
@given(st.randoms(use_true_random=False))
def test_stretches_say_what_the_reference_says(rng: Random) -> None:
    result = hold(rng)
    event(f"broken messages taken: {min(result.broken_taken, 3)}, left: {min(result.broken_left, 3)}")


@pytest.mark.parametrize("seed", range(8))
def test_they_do_so_in_streams_longer_than_one_finds_by_shrinking(seed: int) -> None:
    """And what is broken is taken at times, left at others: else the above would show nothing."""
    rng = Random(seed)
    result = reduce(Held.plus, (hold(rng) for _ in range(100)))
    assert result.taken > result.left > 0
    broken = result.broken_taken + result.broken_left
    assert broken > 100
    assert result.broken_taken > broken / 20
    assert result.broken_left > broken / 4
