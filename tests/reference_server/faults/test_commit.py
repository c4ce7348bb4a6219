from __future__ import annotations

import re

import pytest

from reference_server import faults
from reference_server.faults import FAULTS, WITHOUT_RATE, Timed, commit
from reference_server.faults.silence import STALL_S
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
        ("swap:1:3s", "this fault takes no time"),
        ("silence:1:3", "in ms or s: 3s, 250ms"),
        ("silence:1:0s", "a time above 0"),
        ("silence:1:", "a time above 0"),
        ("silence:3s", "the rate is a share"),
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


@pytest.mark.parametrize(
    ("asked", "time_s"),
    [("silence", STALL_S), ("silence:0.5", STALL_S), ("silence:1:3s", 3), ("silence:1:250ms", 0.25)],
)
def test_a_time_may_stand_after_the_rate(asked: str, time_s: float) -> None:
    _, read = faults._read(asked)
    assert isinstance(read.fault, Timed)
    assert read.fault.time_s == time_s
