from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.committed import committed

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


def test_one_event_of_each_run_is_missing_with_both_its_numbers(kit: Kit) -> None:
    heard = committed(kit, "drop", runs=12)
    missing = [sorted(set(range(1, 12)) - set(numbers)) for numbers in heard.numbers]
    assert all(len(numbers) == 10 for numbers in heard.numbers)
    lost = [seq for (seq,) in missing]
    assert all(2 <= seq <= 9 for seq in lost)
    assert len(set(lost)) > 1
    assert set(range(1, 133)) - set(heard.offsets) == {11 * run + seq for run, seq in enumerate(lost)}
    assert (heard.strikes, heard.opportunities) == (12, 12)


def test_a_seed_loses_the_same_events_again(kit: Kit) -> None:
    first, again, other = (committed(kit, "drop:0.5", runs=12, seed=seed).numbers for seed in (3, 3, 4))
    assert first == again != other
