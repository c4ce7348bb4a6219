from __future__ import annotations

import re

import pytest

from reference_server.faults import FAULTS, WITHOUT_RATE, commit
from reference_server.metrics import Metrics
from reference_server.parts import Parts


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("nonsense", "there are: "),
        ("swap:much", "above 0 and at most 1: swap:0.01"),
        ("swap:0", "above 0"),
        ("swap:1.5", "above 0"),
        ("swap:nan", "above 0"),
        ("swap:", "above 0"),
        ("unbounded-queue:0.5", "unbounded-queue has no rate"),
    ],
)
def test_what_is_no_fault_is_refused(asked: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        commit([asked], 0, Parts(), Metrics())


def test_without_a_fault_nothing_is_wrapped() -> None:
    assert commit([], 0, Parts(), Metrics()) == Parts()


@pytest.mark.parametrize("name", list(FAULTS))
def test_each_fault_wraps(name: str) -> None:
    rate = "" if name in WITHOUT_RATE else ":0.5"
    assert commit([f"{name}{rate}"], 0, Parts(), Metrics()) != Parts()
