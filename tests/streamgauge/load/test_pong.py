from typing import TYPE_CHECKING

import pytest

from streamgauge.core.event import Event, Kind
from streamgauge.core.observation import Clocked, Received
from tests.support.apart import INSIDE

if TYPE_CHECKING or INSIDE:
    from streamgauge.load.pong import clocked

PONG = Event(kind=Kind.PONG, request="1000", emitted_ns=51_000, clock="theirs")


def read(event: Event, *, exact: bool = True) -> Received:
    """What came of the server's answer, which the kernel had at 1200, and we at 3000."""
    return Received(7, 3_000, 1_200, exact, 60, event)


def test_the_bracket_ends_where_the_kernel_had_the_answer() -> None:
    assert clocked(7, PONG, 1_000, read(PONG), 3_000) == Clocked(7, 3_000, "theirs", 49_900, 100)


@pytest.mark.parametrize("newest", [None, read(PONG, exact=False), read(Event(kind=Kind.PONG))])
def test_without_an_exact_stamp_it_ends_where_we_read_it(newest: Received | None) -> None:
    assert clocked(7, PONG, 1_000, newest, 3_000) == Clocked(7, 3_000, "theirs", 49_000, 1_000)


@pytest.mark.parametrize("sent_ns", [0, 999])
def test_an_answer_to_no_ping_of_ours_tells_nothing(sent_ns: int) -> None:
    assert clocked(7, PONG, sent_ns, read(PONG), 3_000) is None


def test_an_answer_from_before_its_question_tells_nothing() -> None:
    assert clocked(7, PONG, 1_000, None, 999) is None
