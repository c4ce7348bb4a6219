import pytest
from msgspec.structs import replace

from streamgauge.core.clock_map import Mapping
from streamgauge.core.history import History
from streamgauge.core.metrics.early import EARLY, Early
from streamgauge.core.observation import Received
from tests.support.analysed import analysed
from tests.support.history import CLOCK, PACE, SECOND, accepted, opened, run, session, whole
from tests.support.stretches import gathered

ASKED_NS = 5 * SECOND
THERE = "there"
AHEAD = Mapping(3_600 * SECOND, 1_000)  # that clock, by an hour


def history(*early: int, by: int = 1, clock: str = CLOCK, offset_ns: int = 0) -> History:
    """A run that was asked for at 5 s, with the events of these `seq` stamped `by` ns before that."""
    told = run(*whole())
    events = []
    for row in told.events:
        emitted_ns = ASKED_NS - by if row.event.seq in early else ASKED_NS + row.event.seq
        event = replace(row.event, emitted_ns=emitted_ns + offset_ns, clock=clock)
        events.append(replace(row, at_ns=ASKED_NS + PACE, event=event))
    asked = replace(told.asked, at_ns=ASKED_NS)
    return History(told.user, asked, told.run, told.thread, events=events)


def together(told: History) -> History:
    """The same, read in one go."""
    return replace(told, stretches=[gathered(told.events)], events=[])


def early(*histories: History) -> int:
    counted = Early(CLOCK, lambda clock, _: AHEAD if clock == THERE else None)
    counted.settle(histories)
    return counted.events


def test_a_run_that_was_emitted_after_its_request_is_not_early() -> None:
    assert early(history(), together(history())) == 0
    assert early(history(1, by=0), together(history(1, by=0))) == 0


def test_each_early_event_counts_however_it_was_read() -> None:
    assert early(history(3)) == early(together(history(3))) == 1
    assert early(together(history(1, 9)), history(), together(history(10))) == 3


@pytest.mark.parametrize(("by", "found"), [(1_000, 0), (1_001, 1)])
def test_what_the_bound_of_another_clock_explains_is_not_early(by: int, found: int) -> None:
    told = history(4, by=by, clock=THERE, offset_ns=AHEAD.offset_ns)
    assert early(told) == early(together(told)) == found


def test_stamps_of_an_unknown_clock_and_none_at_all_say_nothing() -> None:
    assert early(history(4, clock="elsewhere"), together(history(4, clock="elsewhere"))) == 0
    assert early(history(4, by=ASKED_NS), together(history(4, by=ASKED_NS))) == 0  # 0: no stamp


def test_a_request_that_was_sent_again_may_have_been_answered_before() -> None:
    assert early(replace(history(4), again=True)) == 0


def test_an_analysis_counts_them() -> None:
    rows = [
        replace(row, event=replace(row.event, emitted_ns=1)) if isinstance(row, Received) else row
        for row in session(run(*whole()), run(*whole(), name="r2", request="q2"))
    ]
    assert analysed(rows).counts[EARLY] == 10  # of the second run, which was asked for later


def test_an_analysis_lets_a_request_that_was_sent_twice_alone() -> None:
    told = run(*whole())
    twice = [told.asked, replace(told.asked, at_ns=5, due_ns=5)]
    events = [replace(row, at_ns=10, event=replace(row.event, emitted_ns=3)) for row in told.events]
    assert EARLY not in analysed([opened(), *twice, replace(accepted(), at_ns=10), *events]).counts
