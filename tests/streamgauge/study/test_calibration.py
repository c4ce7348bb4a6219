from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from streamgauge.core.event import Event, Kind
from streamgauge.core.finding import Outcome
from streamgauge.core.observation import Received
from streamgauge.core.truth import Sent
from streamgauge.study.calibration import Figure, Load, Taken, conclude, hold, is_near, next_interval
from tests.support.stretches import gathered

MS = 1_000_000
ENOUGH = 3_000  # for a p99.9


def sent(seq: int, delay_ns: int = 5 * MS) -> Sent:
    """An event that was emitted every 10 ms, and left `delay_ns` later, in 20 µs."""
    emitted_ns = seq * 10 * MS
    return Sent("r", seq, emitted_ns, emitted_ns + delay_ns, emitted_ns + delay_ns + 20_000)


def received(of: Sent, stamp_ns: int, read_ns: int) -> Received:
    """The event as it was seen: stamped and read so long after it was sent."""
    event = Event(Kind.THINKING, run=of.run, seq=of.seq, emitted_ns=of.emitted_ns)
    return Received(1, of.sent_ns + read_ns, of.sent_ns + stamp_ns, True, 100, event)


def seen(n: int, stamp_ns: int = 10_000, read_ns: int = 2 * MS) -> Taken:
    """A load of `n` events whose delays are 1, 2, 3 … µs."""
    truth = [sent(seq, seq * 1_000) for seq in range(1, n + 1)]
    return Taken("a load", None, 1.0, [received(each, stamp_ns, read_ns) for each in truth], truth)


def figure(load: Load, q: float) -> Figure:
    return next(figure for figure in load.figures if figure.q == q)


def errors(load: Load, q: float) -> Sequence[int | None]:
    return figure(load, q).true_ns, figure(load, q).stamp, figure(load, q).read


# The table


def test_an_error_is_the_instruments_quantile_less_the_true_one() -> None:
    load = hold(seen(ENOUGH))
    assert errors(load, 0.5) == (1_500_000, 10_000, 2 * MS)
    assert errors(load, 0.99) == (2_970_000, 10_000, 2 * MS)
    assert errors(load, 0.999) == (2_997_000, 10_000, 2 * MS)


def test_what_is_reported_comes_out_of_a_histogram() -> None:
    """Its buckets are 2¹⁵ ns wide there, and its value is a bucket's middle."""
    reported = figure(hold(seen(ENOUGH)), 0.99).reported
    assert reported is not None
    assert reported != 10_000
    assert abs(reported - 10_000) <= 2**14


def test_early_is_an_error_too() -> None:
    assert errors(hold(seen(ENOUGH, stamp_ns=-300)), 0.99) == (2_970_000, -300, 2 * MS)


def test_errors_of_quantiles_hide_what_errors_of_single_events_show() -> None:
    truth = [sent(seq, (1 + seq % 2) * MS) for seq in range(1, 601)]
    swapped = [received(each, MS if each.seq % 2 == 0 else -MS, 0) for each in truth]
    crossed = [replace(row, kernel_ns=row.event.emitted_ns + (2 - row.event.seq % 2) * MS) for row in swapped]
    load = hold(Taken("crossed", None, 1.0, crossed, truth))
    assert figure(load, 0.99).stamp == 0
    assert [(each.q, each.stamp) for each in load.spread][:3] == [(0.01, -MS), (0.5, -MS), (0.99, MS)]


def test_only_exact_stamps_of_events_count() -> None:
    taken = seen(400)
    rows = [replace(row, exact=row.event.seq % 4 != 0) for row in taken.rows if isinstance(row, Received)]
    greeting = Received(1, 0, 0, True, 100, Event(Kind.GREETING))
    load = hold(replace(taken, rows=[greeting, *rows]))
    assert (load.events, load.exact, load.unknown) == (400, 300, 0)


def test_events_that_were_read_together_are_each_an_event() -> None:
    taken = seen(ENOUGH)
    rows = [row for row in taken.rows if isinstance(row, Received)]
    reads = [rows[at : at + 3] for at in range(0, len(rows), 3)]
    apart = [
        replace(row, at_ns=read[-1].at_ns, kernel_ns=read[-1].kernel_ns, exact=row is read[-1])
        for read in reads
        for row in read
    ]
    together = [gathered(apart[at : at + 3]) for at in range(0, len(apart), 3)]
    assert hold(replace(taken, rows=together)) == hold(replace(taken, rows=apart))


def test_the_share_of_the_core_is_that_of_the_time_in_which_events_came() -> None:
    taken = seen(101)  # the last one is read a second and 100 µs after the first
    assert hold(replace(taken, cpu_s=0.5)).cpu_share == pytest.approx(0.5, rel=1e-3)
    assert hold(replace(taken, rows=[])).cpu_share == 0


def test_a_stamp_lies_between_the_beginning_and_the_return_of_its_send() -> None:
    assert hold(seen(300, stamp_ns=20_000)).outside == 0
    assert hold(seen(300, stamp_ns=22_000)).outside == 300
    assert hold(seen(300, stamp_ns=-2_000)).outside == 300


# The verdict


def outcome(taken: Taken) -> Outcome:
    return hold(taken).outcome


def test_a_p99_within_the_goal_passes_however_late_the_reads() -> None:
    assert outcome(seen(ENOUGH, stamp_ns=100_000, read_ns=900 * MS)) is Outcome.PASS


@pytest.mark.parametrize("stamp_ns", [100_001, -100_001])
def test_a_p99_beyond_the_goal_fails(stamp_ns: int) -> None:
    assert outcome(seen(ENOUGH, stamp_ns)) is Outcome.FAIL


@pytest.mark.parametrize(("n", "known"), [(298, [0.5]), (299, [0.5, 0.99]), (2_994, [0.5, 0.99])])
def test_a_quantile_of_too_few_is_not_known(n: int, known: list[float]) -> None:
    load = hold(seen(n))
    assert [figure.q for figure in load.figures if figure.stamp is not None] == known
    assert load.outcome is (Outcome.PASS if 0.99 in known else Outcome.UNKNOWN)


def test_nothing_seen_is_unknown() -> None:
    assert outcome(Taken("nothing", None, 0.0, [], [])) is Outcome.UNKNOWN


def test_what_the_server_does_not_know_makes_it_unknown() -> None:
    taken = seen(400)
    load = hold(replace(taken, truth=taken.truth[:-1]))
    assert (load.exact, load.unknown, load.outcome) == (399, 1, Outcome.UNKNOWN)
    other = replace(taken.truth[0], emitted_ns=taken.truth[0].emitted_ns + 1)
    load = hold(replace(taken, truth=[other, *taken.truth[1:]]))
    assert load.remarks == ("1 event is not what the server says it sent",)


def test_a_load_that_was_not_reached_proves_nothing_of_it() -> None:
    taken = replace(seen(400), wanted=0.7)  # a second of CPU in four
    load = hold(taken)
    assert load.outcome is Outcome.UNKNOWN
    (remark,) = load.remarks
    assert remark.startswith("the generator took 25 % of its core and was to take 70 %: see ")
    assert outcome(replace(taken, cpu_s=2.8)) is Outcome.PASS


def test_a_run_that_proves_nothing_is_unknown_but_a_failure_stays_one() -> None:
    assert outcome(replace(seen(400), remarks=("it broke",))) is Outcome.UNKNOWN
    assert outcome(replace(seen(400, stamp_ns=MS), remarks=("it broke",))) is Outcome.FAIL


def test_the_worst_load_decides() -> None:
    good, short, bad = map(hold, (seen(400), seen(10), seen(400, stamp_ns=MS)))
    assert conclude([good, good]).outcome is Outcome.PASS
    assert conclude([good, short]).outcome is Outcome.UNKNOWN
    assert conclude([good, short, bad]).outcome is Outcome.FAIL


# The rate of a load


def test_the_interval_is_scaled_by_what_a_pilot_took() -> None:
    assert next_interval(2.0, reached=0.1, wanted=0.2) == pytest.approx(1.0)
    assert next_interval(2.0, reached=0.8, wanted=0.2) == pytest.approx(8.0)


def test_no_pilot_is_trusted_far_off() -> None:
    assert next_interval(2.0, reached=0.0, wanted=0.2) == pytest.approx(0.25)
    assert next_interval(2.0, reached=9.0, wanted=0.2) == pytest.approx(16.0)


def test_near_is_a_part_of_what_is_wanted() -> None:
    assert is_near(0.76, 0.7, 0.1)
    assert not is_near(0.78, 0.7, 0.1)
    assert not is_near(0.62, 0.7, 0.1)
