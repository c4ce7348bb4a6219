from datetime import UTC, datetime

from streamgauge.core.analysis import Analysis, AnalysisState
from streamgauge.core.timeline import Origin, aligned, shifted, time_of_day
from tests.support.history import CLOCK, LIMITS, SECOND, failed, lost, run, session, started, thought

DAY = 86_400 * SECOND


def seen(began_ns: int = 0) -> AnalysisState:
    """What a worker saw: a run that lost an event."""
    analysis = Analysis(LIMITS, CLOCK, began_ns)
    for row in session(run(started(), lost(thought(1)), thought(2), failed())):
        analysis.add(row)
    return analysis.finish(40 * SECOND)


def test_one_clock_needs_no_change() -> None:
    one, two = seen(), seen(5)
    assert aligned([(one, Origin("a", 7)), (two, Origin("a", 9))]) == [one, two]


def test_a_clock_of_which_nobody_knows_the_time_of_day_is_left() -> None:
    one, two = seen(), seen(5)
    assert aligned([(one, Origin("a", 7)), (two, Origin("b"))]) == [one, two]
    assert aligned([(one, Origin("a")), (two, Origin("b", 7))]) == [one, two]


def test_another_machines_times_are_brought_to_the_firsts() -> None:
    one, two = aligned([(seen(), Origin("a", 9 * DAY)), (shifted(seen(), DAY), Origin("b", 8 * DAY))])
    assert one == two == seen()


def test_everything_that_has_a_time_is_shifted_and_nothing_else() -> None:
    before, after = seen(), shifted(seen(), DAY)
    assert (after.began_ns, after.ended_ns) == (DAY, DAY + 40 * SECOND)
    assert after.seconds == {second + 86_400: n for second, n in before.seconds.items()}
    assert after.latencies == before.latencies
    assert after.counts == before.counts
    (found,) = after.checks.findings["seq-contiguous"]
    (was,) = before.checks.findings["seq-contiguous"]
    assert found.at_ns == was.at_ns + DAY
    assert [w.at_ns - DAY for w in found.witnesses] == [w.at_ns for w in was.witnesses]


def test_a_clock_tells_the_time_of_day_where_its_beginning_is_known() -> None:
    assert time_of_day(Origin("a", 9 * DAY), 40 * SECOND) == datetime(1970, 1, 10, 0, 0, 40, tzinfo=UTC)
    assert time_of_day(Origin("a"), 40 * SECOND) is None
