import pytest
from msgspec.structs import replace

from streamgauge.core.event import Event, Kind
from streamgauge.core.histogram import Distribution
from streamgauge.core.history import End, History
from streamgauge.core.metrics.latency import Latencies, Metric
from streamgauge.core.observation import Asked, Clocked, Observation, Opened, Received
from tests.support.history import (
    CLOCK,
    PACE,
    SECOND,
    completed,
    failed,
    heard,
    idea,
    part,
    run,
    session,
    started,
    thought,
    twice,
    wait,
    whole,
)
from tests.support.settling import alike
from tests.support.stretches import gathered

MS = 1_000_000
BEGUN = (started(), thought(1), thought(2))


def values(distributions: dict[str, Distribution]) -> dict[str, tuple[int, int, int]]:
    """Of every metric that was taken: how many values, the least and the most."""
    return {name: (d.n, d.least, d.most) for name, d in distributions.items() if d.n}


def of_rows(*rows: Observation) -> dict[str, tuple[int, int, int]]:
    latencies = Latencies(CLOCK)
    for row in rows:
        latencies.add(row)
    return values(latencies.distributions())


def of_run(history: History) -> dict[str, tuple[int, int, int]]:
    latencies = Latencies(CLOCK)
    latencies.settle(alike(history))
    return values(latencies.distributions())


def message(
    read_ms: int, kernel_ms: int, emitted_ms: int, *, exact: bool = False, clock: str = CLOCK
) -> Received:
    event = replace(started(), emitted_ns=emitted_ms * MS, clock=clock)
    return replace(heard(event), at_ns=read_ms * MS, kernel_ns=kernel_ms * MS, exact=exact)


def test_every_metric_is_there_from_the_beginning() -> None:
    assert set(Latencies(CLOCK).distributions()) == set(Metric)


def test_an_exact_stamp_gives_delivery_latency_and_the_generators_lag() -> None:
    assert of_rows(message(10, 9, 5, exact=True)) == {
        Metric.DELIVERY: (1, 4 * MS, 4 * MS),
        Metric.LAG: (1, MS, MS),
    }


def test_a_bound_and_a_message_without_stamp_stand_apart() -> None:
    assert of_rows(message(10, 9, 5), message(10, 0, 5)) == {Metric.DELIVERY_BOUND: (2, 4 * MS, 5 * MS)}


@pytest.mark.parametrize("row", [message(10, 9, 5, clock="another"), message(10, 9, 0)])
def test_a_clock_that_cannot_be_mapped_gives_no_delivery_latency(row: Received) -> None:
    assert of_rows(row) == {}
    assert of_rows(replace(row, exact=True)) == {Metric.LAG: (1, MS, MS)}


def test_what_was_emitted_after_it_arrived_is_no_latency() -> None:
    assert of_rows(message(10, 9, 12, exact=True)) == {Metric.LAG: (1, MS, MS)}


@pytest.mark.parametrize(("due", "slip"), [(3, 2 * MS), (5, 0), (6, 0)])
def test_slip_is_what_a_request_was_late(due: int, slip: int) -> None:
    asked = Asked(1, 5 * MS, "q1", "", "", "", due * MS, SECOND)
    assert of_rows(asked) == {Metric.SLIP: (1, slip, slip)}


def test_connecting_takes_until_the_greeting() -> None:
    assert of_rows(Opened(1, 7 * MS, "ann", "", 2 * MS)) == {Metric.CONNECT: (1, 5 * MS, 5 * MS)}


def test_a_whole_run_gives_every_duration_of_a_run() -> None:
    history = run(*BEGUN, wait(0.5), idea(), part(0), thought(3), completed())
    history.accepted = heard(started(), at=0.005)
    assert of_run(history) == {
        Metric.ACCEPTED: (1, 5 * MS, 5 * MS),
        Metric.FIRST_EVENT: (1, PACE, PACE),
        Metric.FIRST_THOUGHT: (1, 2 * PACE, 2 * PACE),
        Metric.FIRST_CHUNK: (1, 54 * PACE, 54 * PACE),
        Metric.RUN: (1, 56 * PACE, 56 * PACE),
        Metric.SILENCE: (1, SECOND // 2, SECOND // 2),
    }


def test_waiting_counts_from_when_the_request_was_due() -> None:
    history = run(started())
    history.asked = replace(history.asked, due_ns=-2 * SECOND)
    assert of_run(history)[Metric.FIRST_EVENT] == (1, 2 * SECOND + PACE, 2 * SECOND + PACE)
    assert of_run(history)[Metric.SILENCE] == (1, PACE, PACE)  # what the server kept silent


def test_an_event_arrives_when_the_kernel_has_it() -> None:
    history = run(wait(3), started())
    history.events = [replace(history.events[0], kernel_ns=SECOND)]
    assert of_run(history)[Metric.FIRST_EVENT] == (1, SECOND, SECOND)


@pytest.mark.parametrize("history", [run(*BEGUN, failed()), run(*BEGUN), run(*BEGUN, end=End.ABANDONED)])
def test_a_run_without_result_has_no_run_time(history: History) -> None:
    assert set(of_run(history)) == {Metric.FIRST_EVENT, Metric.FIRST_THOUGHT, Metric.SILENCE}


@pytest.mark.parametrize("history", [run(), run(end=End.REFUSED)])
def test_a_run_without_events_took_no_time_that_is_known(history: History) -> None:
    assert of_run(history) == {}


def test_the_first_of_several_counts() -> None:
    assert of_run(run(*BEGUN, thought(3), twice(completed())))[Metric.RUN] == (1, 5 * PACE, 5 * PACE)


def test_runs_that_are_settled_together_take_each_its_time() -> None:
    histories = [run(*BEGUN, wait(n + 0.01), part(0), thought(3), completed()) for n in range(4)]
    for n, history in enumerate(histories):
        history.asked = replace(history.asked, due_ns=-n * MS)
        history.accepted = heard(started(), at=n / 100)
    together, alone = Latencies(CLOCK), Latencies(CLOCK)
    together.settle(alike(*histories))
    for history in histories:
        alone.settle(alike(history))
    assert together.distributions() == alone.distributions()
    assert values(together.distributions())[Metric.ACCEPTED] == (4, 0, 33 * MS)


def test_rows_of_a_whole_session_feed_each_its_metric() -> None:
    assert of_rows(*session(run(*whole()))) == {Metric.CONNECT: (1, 0, 0), Metric.SLIP: (1, 0, 0)}


# Another machine's clock, an hour ahead, that is known to ± 1 ms from the second second on

HOUR = 3_600 * SECOND
KNOWN = Clocked(1, 0, "there", HOUR, MS)


def of_mapped(*rows: Observation) -> Latencies:
    latencies = Latencies(CLOCK)
    for row in (KNOWN, *rows):
        latencies.add(row)
    return latencies


def there(took_ms: int) -> Received:
    """An event that another machine stamped, and that took so long."""
    return message(2_000, 2_000, 3_600_000 + 2_000 - took_ms, exact=True, clock="there")


def test_stamps_of_a_clock_that_is_mapped_are_taken_with_their_bound() -> None:
    latencies = of_mapped(there(7))
    assert values(latencies.distributions())[Metric.DELIVERY] == (1, 7 * MS, 7 * MS)
    assert (latencies.clock_bound_ns, latencies.unmapped, latencies.ahead) == (MS + 30_000, 0, 0)


def numbered(row: Received, seq: int) -> Received:
    return replace(row, event=replace(row.event, seq=seq, offset=seq))


def test_events_that_are_read_together_are_mapped_as_each_alone() -> None:
    first, last = replace(numbered(there(9), 1), exact=False), numbered(there(7), 2)
    together = of_mapped()
    together.read(gathered([first, last]))
    assert together.distributions() == of_mapped(first, last).distributions()
    assert values(together.distributions())[Metric.DELIVERY_BOUND] == (1, 9 * MS, 9 * MS)


def test_events_of_our_own_clock_that_are_read_together_are_taken_as_each_alone() -> None:
    first, last = message(10, 9, 5), message(10, 9, 6, exact=True)
    unstamped = [message(20, 0, 5), message(20, 0, 12)]
    together, alone = Latencies(CLOCK), Latencies(CLOCK)
    for rows in ([first, last], unstamped):
        together.read(gathered([numbered(row, seq) for seq, row in enumerate(rows, 1)]))
        for row in rows:
            alone.add(row)
    assert together.ahead == alone.ahead == 0
    assert together.distributions() == alone.distributions()
    assert values(together.distributions()) == {
        Metric.LAG: (1, MS, MS),
        Metric.DELIVERY: (1, 3 * MS, 3 * MS),
        Metric.DELIVERY_BOUND: (3, 4 * MS, 15 * MS),
    }


def test_what_the_bound_explains_took_nothing_and_what_it_does_not_came_before_its_emission() -> None:
    assert values(of_mapped(there(-1)).distributions())[Metric.DELIVERY] == (1, 0, 0)
    assert of_mapped(there(-2)).ahead == 0  # counted with the batch
    late = of_mapped(there(-2))
    late.distributions()
    assert late.ahead == 1
    assert late.least_ahead_ns > 0


def test_of_lies_the_smallest_is_told() -> None:
    for stamped in ((30, 12, 20), (12,), ()):  # ms; they arrived at 10 ms
        latencies = Latencies(CLOCK)
        for ms in stamped:
            row = heard(Event(Kind.THINKING, run="r1", emitted_ns=ms * MS, clock=CLOCK))
            latencies.add(replace(row, at_ns=10 * MS, kernel_ns=10 * MS, exact=ms != 20))
        latencies.distributions()
        assert latencies.least_ahead_ns == (2 * MS if stamped else 0)


def test_stamps_of_a_clock_that_is_not_mapped_are_only_counted() -> None:
    latencies = of_mapped(message(2_000, 2_000, 1, clock="elsewhere"), message(500, 500, 1, clock="there"))
    assert Metric.DELIVERY_BOUND not in values(latencies.distributions())
    assert (latencies.unmapped, latencies.clock_bound_ns) == (2, 0)
