from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.support.apart import INSIDE

if TYPE_CHECKING or INSIDE:
    from streamgauge.load.cutting import Cutting


class Heard(NamedTuple):
    data: bytes
    whole: bool


class Owner:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Heard | str] = []

    def heard(self, data: bytes | memoryview, _now_ns: int, _kernel_ns: int, *, whole: bool = True) -> None:
        self.told.append(Heard(bytes(data), whole))

    def ended(self, _now_ns: int) -> None:
        self.told.append("ended")

    def failed(self, error: Exception) -> None:
        self.told.append(str(error))

    def cut(self) -> None:
        self.told.append("cut")


def told(size: int, *reads: bytes) -> list[Heard | str]:
    owner = Owner()
    cutting = Cutting(owner, size)
    for data in reads:
        if "cut" not in owner.told:
            cutting.heard(data, 1, 1)
    return owner.told


def test_nothing_is_changed_before_the_cut() -> None:
    assert told(10, b"abc", b"def") == [Heard(b"abc", True), Heard(b"def", True)]


@pytest.mark.parametrize("size", range(1, 6))
def test_it_is_cut_at_the_byte_and_what_was_cut_has_no_exact_stamp(size: int) -> None:
    assert told(size, b"abcdef") == [Heard(b"abcdef"[:size], False), "cut"]


def test_a_cut_may_lie_between_two_reads() -> None:
    assert told(3, b"abc", b"def") == [Heard(b"abc", True), "cut"]


def test_ends_and_troubles_are_passed_on() -> None:
    owner = Owner()
    cutting = Cutting(owner, 5)
    cutting.ended(1)
    cutting.failed(ValueError("oh"))
    assert owner.told == ["ended", "oh"]
