"""What is kept of a run's deltas while stretches and single messages take turns."""

import hashlib
from collections.abc import Callable
from itertools import product

import pytest

from streamgauge.core.observation import Received
from streamgauge.core.stretch import unfold
from streamgauge.protocol.observe import Observer
from tests.support.native_stream import (
    ANN,
    AT_NS,
    BEN,
    KERNEL_NS,
    completed,
    failed,
    observer,
    part,
    thought,
    written,
)

pytestmark = pytest.mark.usefixtures("compiled")


def read(by: Observer, messages: list[bytes]) -> list[Received]:
    """All of one read in one stretch."""
    stretch = by.gather(messages, 0, AT_NS, KERNEL_NS, exact=True)
    assert stretch is not None
    rows = unfold(stretch)
    assert len(rows) == len(messages)
    return rows


def observe(by: Observer, messages: list[bytes]) -> list[Received]:
    """The same, one by one."""
    rows = [by.observe(message, AT_NS, KERNEL_NS, exact=False) for message in messages]
    return [row for row in rows if isinstance(row, Received)]


def joined(*deltas: str) -> str:
    return hashlib.sha256("".join(deltas).encode()).hexdigest()


Way = Callable[[Observer, list[bytes]], list[Received]]
WAYS = read, observe


@pytest.mark.parametrize(
    "ways", [*product(WAYS, repeat=3)], ids=lambda ways: " ".join(w.__name__ for w in ways)
)
def test_deltas_are_joined_however_they_were_read(ways: tuple[Way, ...]) -> None:
    first = written(part(0, "one "), part(1, "zwö "))
    second = written(part(2, "\n"), first=3)
    third = written(part(3, ""), part(4, "three"), thought(3), completed(), first=4)
    by = observer()
    rows = [
        row for way, messages in zip(ways, (first, second, third), strict=True) for row in way(by, messages)
    ]
    assert rows[-1].event.joined == joined("one ", "zwö ", "\n", "three")
    assert [row.event.size for row in rows] == [4, 5, 1, 0, 5, 0, 0]


def test_parts_without_a_text_are_an_answer_and_no_parts_are_none() -> None:
    assert read(observer(), written(part(0, ""), completed()))[-1].event.joined == joined()
    assert read(observer(), written(thought(3), completed()))[-1].event.joined == ""


def test_runs_side_by_side_keep_their_own() -> None:
    by = observer()
    read(by, written(part(0, "a"), run_id="r1"))
    read(by, written(part(0, "b"), run_id="r2"))
    assert read(by, written(completed(), first=2, run_id="r2"))[-1].event.joined == joined("b")
    assert read(by, written(part(1, "c"), completed(), first=2, run_id="r1"))[-1].event.joined == joined(
        "a", "c"
    )


@pytest.mark.parametrize("end", [completed(), failed()])
def test_nothing_is_kept_of_a_run_that_ended(end: tuple[str, dict[str, object]]) -> None:
    by = observer()
    read(by, written(part(0, "a")))
    observe(by, written(end, first=2))
    assert read(by, written(part(1, "b"), completed(), first=3))[-1].event.joined == joined("b")
    assert read(by, written(thought(3), completed(), first=5))[-1].event.joined == ""


@pytest.mark.parametrize("first", [5, 0], ids=["the last ones first", "an index twice"])
def test_deltas_are_joined_by_their_index_and_the_last_one_counts(first: int) -> None:
    by, other = observer(), observer()
    messages = written(part(first, "a"), part(first + 1, "b"), first=1)
    more = written(part(0, "c"), part(1, "d"), completed(), first=3)
    expected = observe(other, messages + more)[-1].event.joined
    assert expected == joined("c", "d", *(["a", "b"] if first else []))
    read(by, messages)
    assert read(by, more)[-1].event.joined == expected


def test_a_leak_that_shows_only_in_the_joined_text_is_left_to_the_reference() -> None:
    by = observer()
    messages = written(part(0, BEN[:4]), part(1, BEN[4:]), completed())
    assert by.gather(messages, 0, AT_NS, KERNEL_NS, exact=True) is None
    assert observe(by, messages)[-1].foreign == BEN


def test_so_is_one_whose_beginning_came_before() -> None:
    by = observer()
    read(by, written(part(0, BEN[:4])))
    rest = written(part(1, BEN[4:]), part(2, "c"), completed(), first=2)
    assert by.gather(rest, 0, AT_NS, KERNEL_NS, exact=True) is None
    assert by.gather(rest, 2, AT_NS, KERNEL_NS, exact=True) is None
    end = observe(by, rest)[-1]
    assert (end.event.joined, end.foreign) == (joined(BEN, "c"), BEN)  # none of it twice


def test_ones_own_canary_may_be_cut_across_deltas() -> None:
    by = observer()
    read(by, written(part(0, ANN[:4])))
    assert read(by, written(part(1, ANN[4:]), completed(), first=2))[-1].foreign == ""


def test_a_stretch_without_parts_has_no_first() -> None:
    stretch = observer().gather(written(thought(3)), 0, AT_NS, KERNEL_NS, exact=True)
    assert stretch is not None
    assert (stretch.index, stretch.parts) == (-1, b"")


def test_a_stretch_that_does_not_end_its_run_has_no_digest() -> None:
    stretch = observer().gather(written(part(0, "a"), thought(3)), 0, AT_NS, KERNEL_NS, exact=True)
    assert stretch is not None
    assert stretch.joined == ""
