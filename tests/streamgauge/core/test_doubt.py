from streamgauge.core.doubt import FORSAKEN, doubts, too_few
from streamgauge.core.doubt_limits import DoubtLimits
from streamgauge.core.event import Event, Kind
from streamgauge.core.finding import LATENCY, NOTHING, VERDICT, Doubt
from streamgauge.core.histogram import Distribution, Histogram
from streamgauge.core.measured import Measured, Ratio
from streamgauge.core.metrics.course import CourseState
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.metrics.tally import Tally
from streamgauge.core.observation import Asked, Closed, Received, Unsent
from streamgauge.core.threshold import evaluate, parse
from streamgauge.core.vitals import Process, Sampled, Vitals
from tests.support.history import run, session, started

EVENTS = {"events": 10_000, "messages": 10_000}
LIMITS = DoubtLimits()
LAG_LIMIT_NS = SLIP_LIMIT_NS = 100_000_000


def doubted(
    counts: dict[str, int] | None = None,
    *,
    lag: Distribution | None = None,
    unconnected: dict[str, int] | None = None,
    missing_workers: tuple[str, ...] = (),
    changed_workers: tuple[str, ...] = (),
    troubles: tuple[str, ...] = (),
    clock_steps: int = 0,
    aborted: str = "",
    planned: int = 0,
    limits: DoubtLimits = LIMITS,
    processes: tuple[Process, ...] = (),
    most_runs: int = 0,
    clock_bound_ns: int = 0,
    least_ahead_ns: int = 0,
    **latencies: Distribution,
) -> list[Doubt]:
    """What is doubted of a run in which all was well, but for what is given."""
    times: dict[str, Distribution] = {Metric[name.upper()]: of for name, of in latencies.items()}
    return list(
        doubts(
            EVENTS | (counts or {}),
            times | ({Metric.LAG: lag} if lag else {}),
            unconnected=unconnected or {},
            missing_workers=missing_workers,
            changed_workers=changed_workers,
            troubles=troubles,
            clock_steps=clock_steps,
            aborted=aborted,
            planned=planned,
            limits=limits,
            processes=processes,
            most_runs=most_runs,
            clock_bound_ns=clock_bound_ns,
            least_ahead_ns=least_ahead_ns,
        )
    )


def only(found: list[Doubt]) -> tuple[str, str, str]:
    (doubt,) = found
    assert doubt.limit
    assert doubt.advice
    return doubt.name, doubt.value, doubt.voids


def lag_of(*values: int) -> Distribution:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram.distribution()


def test_a_run_in_which_all_was_well_is_not_doubted() -> None:
    assert doubted() == []
    assert doubted(lag=Distribution()) == []


# At zero and above


def test_a_missing_worker() -> None:
    gone = ("gen-1_3f (20 users)", "gen-2_5a (1 user)")
    found = doubted(missing_workers=gone)
    assert only(found) == ("workers missing", "gen-1_3f (20 users), gen-2_5a (1 user)", VERDICT)


def test_a_worker_that_came_or_left_in_mid_run_voids_nothing() -> None:
    said = "gen-3_77 joined 2.0 s after the beginning"
    assert only(doubted(changed_workers=(said,))) == ("workers changed", said, NOTHING)


def test_a_run_that_its_plan_stopped_is_no_pass() -> None:
    assert only(doubted(aborted="findings > 100")) == ("stopped early", "findings > 100", VERDICT)


def test_a_run_that_asked_all_it_may_stands_whoever_had_not_come_yet() -> None:
    assert only(doubted({"requests": 50, "users": 3}, planned=5, most_runs=50)) == (
        "cut",
        "at 50 runs",
        NOTHING,
    )


def test_a_cap_that_was_not_reached_says_nothing() -> None:
    assert doubted({"requests": 49, "users": 5}, planned=5, most_runs=50) == []


def test_a_run_that_everybody_had_left_is_void() -> None:
    assert only(doubted(aborted=FORSAKEN)) == ("stopped early", "nobody was connected any more", VERDICT)


def test_users_who_never_came() -> None:
    assert only(doubted({"users": 2}, planned=5)) == ("users connected", "2 of 5", VERDICT)
    assert only(doubted(planned=5))[1] == "0 of 5"
    assert doubted({"users": 5}, planned=5) == []
    assert doubted({"users": 2}, planned=0) == []  # cut short


def test_every_trouble_of_the_instrument() -> None:
    found = doubted(troubles=("1 × KeyError", "the recording stopped"))
    assert [(doubt.name, doubt.value, doubt.voids) for doubt in found] == [
        ("instrument", "1 × KeyError", VERDICT),
        ("instrument", "the recording stopped", VERDICT),
    ]


def test_users_who_could_not_connect() -> None:
    found = doubted(unconnected={"no greeting in time": 1, "HTTP 503 full": 3})
    assert only(found) == ("users not connected", "3 × HTTP 503 full, 1 × no greeting in time", VERDICT)


def test_a_connection_that_the_server_closed() -> None:
    found = doubted({"closed by the server": 1, "runs abandoned": 4})
    assert only(found) == ("connections lost", "1 closed by the server, 4 runs abandoned", VERDICT)
    assert only(doubted({"closed by the server": 2}))[1] == "2 closed by the server, 0 runs abandoned"
    assert doubted({"runs abandoned": 4, "closed by the user": 9}) == []


def test_a_run_without_events() -> None:
    assert only(doubted({"events": 0})) == ("events", "0", VERDICT)
    assert doubted({"events": 1}) == []


def test_an_event_that_arrived_before_it_was_emitted() -> None:
    found = doubted({"deliveries before their emission": 1})
    assert only(found) == ("clock", "1 events arrived before they were emitted", VERDICT)


def test_an_event_that_was_emitted_before_it_was_asked_for() -> None:
    found = doubted({"events emitted before they were asked for": 2})
    assert only(found) == ("clock", "2 events were emitted before they were asked for", VERDICT)


def test_lies_of_the_clock_are_one_doubt_that_says_which_shift_can_be_told() -> None:
    counts = {"deliveries before their emission": 3, "events emitted before they were asked for": 2}
    (doubt,) = doubted(
        counts, delivery=lag_of(40_000, 90_000), delivery_bound=lag_of(30_000), clock_bound_ns=5_000
    )
    assert doubt.value == (
        "3 events arrived before they were emitted, 2 events were emitted before they were asked for"
    )
    assert doubt.limit == "0; more than 35 µs further ahead would show"


def test_where_all_stamps_lie_the_smallest_lie_is_said() -> None:
    counts = {"deliveries before their emission": 3}
    (doubt,) = doubted(counts, least_ahead_ns=95_000_000, clock_bound_ns=5_000)
    assert doubt.value == "3 events arrived before they were emitted, the smallest lie by at least 94,995 µs"
    assert doubt.limit == "0"


def test_a_lie_that_the_clocks_bound_may_explain_has_no_size() -> None:
    (doubt,) = doubted({"deliveries before their emission": 3}, least_ahead_ns=5_000, clock_bound_ns=5_000)
    assert doubt.value == "3 events arrived before they were emitted"


def test_a_clock_that_was_set() -> None:
    assert only(doubted(clock_steps=1)) == ("clock set", "1 times", LATENCY)


# Below, at and above a limit


def test_requests_that_were_due_and_not_sent() -> None:
    def found(unsent: int) -> list[Doubt]:
        return doubted({"requests": 1_000 - unsent, "requests unsent": unsent})

    assert LIMITS.unsent == 0.01
    assert [unsent for unsent in (0, 9, 10, 11) if found(unsent)] == [11]
    assert only(found(11)) == ("requests unsent", "1.1% of 1000", LATENCY)


def test_no_request_was_sent_at_all() -> None:
    assert only(doubted({"requests unsent": 7})) == ("requests unsent", "100.0% of 7", LATENCY)


def test_messages_without_a_kernel_stamp() -> None:
    def found(stampless: int) -> list[Doubt]:
        return doubted({"messages without a kernel stamp": stampless})

    assert LIMITS.missing_stamps == 0.01
    assert [stampless for stampless in (0, 99, 100, 101) if found(stampless)] == [101]
    assert only(found(101)) == ("kernel stamps missing", "1.0% of messages", LATENCY)


def test_a_generator_that_lags() -> None:
    lags = (LAG_LIMIT_NS - 1, LAG_LIMIT_NS, LAG_LIMIT_NS + 1)
    assert [lag for lag in lags if doubted(lag=lag_of(lag))] == [LAG_LIMIT_NS + 1]
    assert only(doubted(lag=lag_of(*[120_000_000] * 299)))[:2] == ("generator lag", "p99 120 ms")
    assert only(doubted(lag=lag_of(*[120_000_000] * 298)))[1] == "up to 120 ms (n = 298)"
    assert only(doubted(lag=lag_of(120_000_000)))[2] == LATENCY


def test_of_the_lag_the_99th_percentile_counts() -> None:
    late = 10 * LAG_LIMIT_NS
    assert doubted(lag=lag_of(*[1] * 99, late)) == []
    assert only(doubted(lag=lag_of(*[1] * 98, late, late)))[0] == "generator lag"


def test_a_schedule_that_slips_by_more_than_the_first_event_takes_is_no_servers_latency() -> None:
    def found(slip: int, first: int) -> list[Doubt]:
        return doubted(slip=lag_of(slip), first_event=lag_of(first))

    slips = (SLIP_LIMIT_NS - 1, SLIP_LIMIT_NS, SLIP_LIMIT_NS + 1)
    assert [slip for slip in slips if found(slip, 1)] == [SLIP_LIMIT_NS + 1]
    assert only(found(150_000_000, 200_000_000)) == ("schedule slip", "up to 150 ms (n = 1)", LATENCY)
    assert found(150_000_000, 400_000_000) == []
    assert only(doubted(slip=lag_of(150_000_000)))[0] == "schedule slip"
    assert doubted(slip=Distribution()) == []


def test_every_limit_is_the_plans() -> None:
    strict = DoubtLimits(unsent=0, missing_stamps=0, lag_p99=1e-6, slip_p99=1e-6)
    found = doubted(
        {"requests": 9_999, "requests unsent": 1, "messages without a kernel stamp": 1},
        lag=lag_of(1_001),
        slip=lag_of(1_001),
        limits=strict,
    )
    assert [doubt.name for doubt in found] == [
        "requests unsent",
        "generator lag",
        "schedule slip",
        "kernel stamps missing",
    ]


def test_events_whose_delivery_latency_is_an_upper_bound() -> None:
    def found(bounds: int) -> list[Doubt]:
        exact = lag_of(*[1] * (100 - bounds))
        return doubted(delivery=exact, delivery_bound=lag_of(*[1] * bounds))

    assert [bounds for bounds in (0, 89, 90, 91, 100) if found(bounds)] == [91, 100]
    assert only(found(91)) == ("inexact stamps", "91.0% of events", NOTHING)


# Workers against each other


def worker(name: str, n: int, ms: int) -> Process:
    return Process(name, None, lag_of(*[ms * 1_000_000] * n))


def test_workers_that_disagree_are_named() -> None:
    found = doubted(processes=(worker("w1", 299, 10), worker("w2", 299, 21), worker("w3", 299, 15)))
    assert only(found) == ("workers disagree", "p99 of the first event 21.0 ms at w2, 10.0 ms at w1", LATENCY)


def test_workers_may_part_by_the_limit() -> None:
    assert doubted(processes=(worker("w1", 299, 10), worker("w2", 299, 19))) == []
    assert doubted(processes=(worker("w1", 299, 10), worker("w2", 298, 90))) == []  # too few to say
    assert doubted(processes=(worker("w1", 299, 10),)) == []


def test_of_two_percentiles_the_near_ends_of_their_intervals_count() -> None:
    wide = lag_of(*[10_000_000] * 296, *[90_000_000] * 4)  # its p99 may as well be 10 ms
    assert wide.quantile(0.99) > 89_000_000
    assert doubted(processes=(Process("w1", None, wide), worker("w2", 299, 10))) == []


def test_vitals_are_held_against_the_limits_of_the_plan() -> None:
    waited = Process("w1", Vitals(lasted_ns=100, waited_ns=50))
    assert only(doubted(processes=(waited,)))[0] == "run-queue wait"
    assert doubted(processes=(waited,), limits=DoubtLimits(run_queue_wait=0.5)) == []


def test_littles_law_needs_the_vitals_of_all() -> None:
    idle = Vitals(lasted_ns=10**9, under_way=Sampled(10, 0, 0))
    settings = {"counts": {"runs completed": 100}, "run": lag_of(*[10**9] * 100)}
    found = doubted(processes=(Process("w1", idle),), **settings)  # type: ignore[arg-type]
    assert only(found)[0] == "Little's law"
    assert doubted(processes=(Process("w1", idle), Process("w2", None)), **settings) == []  # type: ignore[arg-type]


def test_a_run_that_changes_under_an_even_load() -> None:
    windows = {n: lag_of(*[(10 if n < 25 else 90) * 1_000_000] * 5) for n in range(50)}
    course = CourseState(10**9, windows)

    def found(load_ns: tuple[int, int] | None) -> list[str]:
        given = {"unconnected": {}, "missing_workers": 0, "troubles": (), "clock_steps": 0}
        return [d.name for d in doubts(EVENTS, {}, course=course, load_ns=load_ns, **given)]  # type: ignore[arg-type]

    assert found((0, 50 * 10**9)) == ["not steady"]
    assert found(None) == []


# Percentiles that the sample does not carry


def few(n: int, *thresholds: str) -> list[Doubt]:
    known = Measured(
        durations={"run": lag_of(*[1] * n)} if n else {},
        ratios={"leaks": Ratio(0, n)},
    )
    return list(too_few(evaluate(parse(threshold), known) for threshold in thresholds))


def test_a_percentile_with_too_few_samples() -> None:
    assert few(299, "p99(run) < 1s") == []
    assert only(few(298, "p99(run) < 1s")) == ("too few samples", "298 for p99(run)", NOTHING)
    assert only(few(2_994, "p99.9(run) < 1s"))[1] == "2,994 for p99.9(run)"
    assert only(few(0, "p50(run) < 1s"))[1] == "0 for p50(run)"


def test_what_is_no_percentile_says_itself_what_it_lacks() -> None:
    assert few(1, "rate(leaks) < 0.01", "mean(run) < 1s", "count(run) > 5") == []


# The names that are looked up are those that are counted


def test_what_is_doubted_is_what_was_tallied() -> None:
    tally = Tally()
    history = run(started())
    (_, asked, *_) = session(history)
    assert isinstance(asked, Asked)
    for row in (
        *(asked, Unsent(1, 0, 0, "busy"), Closed(1, 0, 1006, ours=False)),
        Received(1, 0, 0, exact=False, size=9, event=Event(Kind.HEARTBEAT)),
    ):
        tally.add(row)
    found = doubts(tally.counts(), {}, unconnected={}, troubles=(), clock_steps=0)
    assert [(doubt.name, doubt.value) for doubt in found] == [
        ("connections lost", "1 closed by the server, 0 runs abandoned"),
        ("events", "0"),
        ("requests unsent", "50.0% of 2"),
        ("kernel stamps missing", "100.0% of messages"),
    ]
