import pytest

from streamgauge.core.checks.answer import joined, partial_integrity, streams
from streamgauge.core.checks.problem import Problem
from streamgauge.core.contract import Rule
from streamgauge.core.event import Event
from tests.support.history import completed, failed, idea, part, tool


@pytest.mark.parametrize(
    "events",
    [
        [],
        [completed("sum", "")],  # an answer that was not streamed
        [part(0), completed("sum", "sum")],
        [part(0), idea(), part(1), tool("c"), part(2), completed("sum", "sum")],
        [part(0), part(1), completed("", "sum")],  # a protocol without digests
        [part(0), part(1), failed()],  # cut off in the middle
        [part(0), part(1)],
        # after the end: `terminal-last` alone
        [part(0), completed("sum", "sum"), part(7)],
        [part(0), completed("sum", "sum"), completed("sum", "another")],
        [completed("sum", ""), part(0), completed("sum", "another")],
    ],
)
def test_an_answer_may_come_like_this(events: list[Event]) -> None:
    assert partial_integrity(events, digests=False) is None


@pytest.mark.parametrize(
    ("events", "came", "due", "place"),
    [
        ([part(1), completed("sum", "sum")], 1, 0, 0),
        ([part(0), part(2), completed("sum", "sum")], 2, 1, 1),
        ([part(0), idea(), part(0)], 0, 1, 2),
        ([part(0), part(2), part(1)], 2, 1, 1),
        ([part(0), part(2), failed()], 2, 1, 1),
    ],
)
def test_parts_may_not_be_numbered_like_this(events: list[Event], came: int, due: int, place: int) -> None:
    numbers = (came, came), (due, due)
    assert partial_integrity(events, digests=False) == Problem(
        Rule.PARTIAL_INTEGRITY, "wrong index", (place,), numbers
    )


@pytest.mark.parametrize(
    ("events", "place"),
    [([part(0), completed("sum", "other")], 1), ([part(0), part(1), completed("sum", "")], 2)],
)
def test_an_answer_is_what_its_parts_join_to(events: list[Event], place: int) -> None:
    text = "deltas do not join to the answer"
    assert partial_integrity(events, digests=False) == Problem(Rule.PARTIAL_INTEGRITY, text, (place,))


@pytest.mark.parametrize(
    "events",
    [
        [completed("", "")],  # nothing was streamed
        [part(0), completed("sum", "sum")],
        [part(0), failed()],
        [part(0)],
        [completed("", ""), part(0)],
    ],
)
def test_only_what_was_streamed_and_completed_needs_a_digest(events: list[Event]) -> None:
    assert partial_integrity(events, digests=True) is None


@pytest.mark.parametrize(
    ("events", "text", "place"),
    [
        ([part(0), completed("", "sum")], "no digest of the answer", 1),
        ([part(0), part(1), completed("", "")], "no digest of the answer", 2),
        ([part(0), completed("sum", "other")], "deltas do not join to the answer", 1),
    ],
)
def test_where_the_protocol_has_a_digest_none_is_a_breach(events: list[Event], text: str, place: int) -> None:
    assert partial_integrity(events, digests=True) == Problem(Rule.PARTIAL_INTEGRITY, text, (place,))


def test_the_digest_taken_last_knows_all_deltas() -> None:
    assert joined([part(0), completed("", "one"), failed(), completed("", "two"), failed()]) == "two"
    assert joined([part(0)]) == ""


def test_an_answer_is_streamed_where_a_part_of_it_came() -> None:
    assert streams([idea(), part(0)])
    assert not streams([idea(), completed("sum")])
