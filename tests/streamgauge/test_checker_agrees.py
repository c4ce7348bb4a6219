"""A naive checker, written from the contract alone, comes to the same findings.

`make compare-checkers` asks both about many more recordings.
"""

from collections import Counter

import pytest

from tests.compare_checkers import compare
from tests.support.checkers import FAULTS, case

SHARES = [range(at, at + 250) for at in range(0, 1_500, 250)]


@pytest.mark.parametrize("seeds", [pytest.param(seeds, id=f"from seed {seeds[0]}") for seeds in SHARES])
def test_two_checkers_agree(seeds: range) -> None:
    compared = compare(seeds)
    assert compared.disagreements == []
    assert compared.recordings == len(seeds)
    assert len(seeds) / 4 < compared.faulty < len(seeds)


def test_they_agree_about_every_rule_and_every_fault_alone_and_together() -> None:
    rules = compare(range(1_000)).rules
    assert len(rules) == 13
    done = Counter(fault for seed in range(1_500) for fault in case(seed).done)
    assert min(done[fault.__name__] for fault in FAULTS) > 10
    assert {len(case(seed).done) for seed in range(100)} == {0, 1, 2, 3}


def test_a_disagreement_is_told_with_its_seed() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.support.naive_checker.wrong_echoes", lambda *_: ["another colour"])
        first, *_ = compare(range(10)).disagreements
    assert first.startswith("--seed ")
    assert "the naive one alone: ('echo', 'another colour'" in first
