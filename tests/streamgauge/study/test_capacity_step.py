from typing import Final

import pytest

from streamgauge.core.contract import Rule
from streamgauge.core.finding import LATENCY, NOTHING, VERDICT, Doubt, Outcome, Verdict
from streamgauge.core.threshold import Level, ThresholdResult, parse
from streamgauge.report.model import Report, ServerCost, ShareOf, Worker
from streamgauge.study.capacity import Result, Step
from streamgauge.study.capacity_step import read_step
from tests.support.launches import launch

LAGGING: Final = Doubt("generator lag", "p99 120 ms", "100 ms", "more --processes", LATENCY)
UNSENT: Final = Doubt("requests unsent", "4.0% of 100", "1%", "fewer users", LATENCY)
SLOW: Final = "p99(first_event) < 500ms"
PLAN: Final = {"users": 100, "spawn_rate": 100.0, "duration": 4}


def doubt(name: str, value: str = "", voids: str = VERDICT) -> Doubt:
    return Doubt(name, value, "0", "", voids)


def held(text: str, outcome: Outcome, level: Level = Level.FAIL) -> ThresholdResult:
    return ThresholdResult(parse(text, level), outcome, 612_000_000, None, None, 500, 299)


def broken(rule: Rule) -> Verdict:
    return Verdict(rule, Outcome.FAIL, required=True, exercised=100, unknown=0, found=2)


def failing(**fields: object) -> Report:
    """A run of a hundred users that did not pass; its one worker took half a core."""
    given = {"plan": PLAN, "outcome": Outcome.FAIL, "workers": (Worker("w", 1_000, 2.0, None),), **fields}
    return launch(0, **given)  # type: ignore[arg-type]  # a test names what a report has


def result(**fields: object) -> tuple[Result, str]:
    step = read_step(failing(**fields))
    return step.result, step.why


def test_a_run_that_passes_is_kept() -> None:
    assert result(outcome=Outcome.PASS) == (Result.KEPT, "")


def test_a_run_that_passes_is_kept_however_busy_the_generator() -> None:
    assert result(outcome=Outcome.PASS, workers=(Worker("w", 1, 4.0, None),)) == (Result.KEPT, "")


# The target


def test_a_threshold_that_does_not_hold_is_the_targets() -> None:
    assert result(thresholds=(held(SLOW, Outcome.FAIL),)) == (Result.TARGET, f"{SLOW}: 612 ms, n = 500")


def test_a_warning_limits_nothing() -> None:
    warned = held("p50(run) < 1ms", Outcome.FAIL, Level.WARN)
    assert result(thresholds=(warned, held(SLOW, Outcome.FAIL)))[1].startswith(SLOW)


def test_a_broken_rule_is_the_targets() -> None:
    assert result(verdicts=(broken(Rule.ECHO),)) == (Result.TARGET, "echo: 2 findings in 100 runs")


def test_a_share_that_is_not_whole_is_the_targets() -> None:
    part = ShareOf("delivery success", 99, 100, Outcome.FAIL)
    assert result(shares=(part,)) == (Result.TARGET, "delivery success: 99.00 %, 99 of 100 runs")


@pytest.mark.parametrize("name", ["requests unsent", "connections lost", "stopped early", "users connected"])
def test_a_doubt_that_is_about_the_target_is_the_targets(name: str) -> None:
    assert result(outcome=Outcome.UNKNOWN, doubts=(doubt(name, "7"),)) == (
        Result.TARGET,
        f"{name}: 7 (limit 0)",
    )


# Refusals


@pytest.mark.parametrize(
    "said", ["20 × HTTP 503 Service Unavailable", "3 × HTTP 429 Too Many Requests", "5 × Connection refused"]
)
def test_users_who_were_refused_are_refusals_whatever_the_generator_is_like(said: str) -> None:
    refused = doubt("users not connected", said)
    for doubts in ((refused,), (LAGGING, refused)):
        assert result(outcome=Outcome.UNKNOWN, doubts=doubts) == (
            Result.REFUSALS,
            f"users not connected: {said} (limit 0)",
        )


def test_runs_that_were_refused_are_refusals() -> None:
    assert result(counts={"runs refused": 3}) == (Result.REFUSALS, "3 runs refused")


def test_users_who_were_left_waiting_are_refusals_of_a_healthy_generators_alone() -> None:
    waiting = doubt("users not connected", "5 × no greeting in time")
    assert result(doubts=(waiting,))[0] is Result.REFUSALS
    assert result(doubts=(waiting, LAGGING))[0] is Result.GENERATOR


# The generator


@pytest.mark.parametrize("also", [{"thresholds": (held(SLOW, Outcome.FAIL),)}, {"doubts": (UNSENT, LAGGING)}])
def test_nothing_that_was_late_is_the_targets_where_the_generator_was(also: dict[str, object]) -> None:
    given = {"doubts": (LAGGING,), **also}
    assert result(**given) == (Result.GENERATOR, "generator lag: p99 120 ms (limit 100 ms)")


@pytest.mark.parametrize("name", ["schedule slip", "workers missing", "instrument", "loop lag of the future"])
def test_a_doubt_that_is_not_about_the_target_is_the_generators(name: str) -> None:
    assert result(doubts=(doubt(name),), verdicts=(broken(Rule.ECHO),))[0] is Result.GENERATOR


def test_a_doubt_that_voids_nothing_blames_nobody() -> None:
    abort = doubt("something odd", voids=NOTHING)
    assert result(doubts=(abort,), thresholds=(held(SLOW, Outcome.FAIL),))[0] is Result.TARGET


def test_a_worker_with_no_core_left_is_the_generators_limit() -> None:
    busy = Worker("w1", 1_000, 0.5, None), Worker("w2", 1_000, 3.6, None)
    assert result(workers=busy, thresholds=(held(SLOW, Outcome.FAIL),)) == (
        Result.GENERATOR,
        "a generator process took 90 % of a core (limit 85 %)",
    )


@pytest.mark.parametrize("said", ["9 × Cannot assign requested address", "1 × Too many open files"])
def test_what_the_generators_machine_lacks_is_the_generators_limit(said: str) -> None:
    assert result(doubts=(doubt("users not connected", said),))[0] is Result.GENERATOR


# Nobody


def test_too_few_samples_blame_nobody() -> None:
    reasons = ("p99(run) < 1s: n = 20, needs 299",)
    few = held("p99(run) < 1s", Outcome.UNKNOWN)
    assert result(outcome=Outcome.UNKNOWN, reasons=reasons, thresholds=(few,)) == (
        Result.UNMEASURED,
        reasons[0],
    )


def test_a_clock_that_was_set_blames_nobody() -> None:
    assert (
        result(outcome=Outcome.UNKNOWN, doubts=(doubt("clock set", voids=LATENCY),))[0] is Result.UNMEASURED
    )


# Figures


def figures(**fields: object) -> Step:
    return read_step(failing(**fields), "here")


def test_events_count_in_the_whole_seconds_while_all_users_are_there() -> None:
    seconds = (100, 500, 2_000, 2_200, 300)  # began half a second into the first; the ramp takes one
    step = figures(seconds=seconds, began_ns=500_000_000, duration_s=4.4, events_per_s=1_000.0)
    assert step.events_per_s == 2_100


def test_a_step_without_a_whole_second_takes_the_rate_of_the_run() -> None:
    assert figures(seconds=(70, 80), duration_s=1.5, events_per_s=100.0).events_per_s == 100


def test_the_servers_cpu_is_that_of_its_events_at_their_rate() -> None:
    step = figures(seconds=(0, 2_000, 2_000, 2_000, 0), server=ServerCost(0.3, 3_000, 100_000.0, 54_000_000))
    assert step.server_cpu == pytest.approx(0.2)
    assert step.server_rss_bytes == 54_000_000
    assert figures(server=None).server_cpu is None


def test_the_generators_cpu_is_of_all_its_workers_and_at_the_rate_of_the_load() -> None:
    workers = Worker("a", 1, 1.0, None), Worker("b", 1, 2.0, None)
    step = figures(
        workers=workers, counts={"events": 6_000}, seconds=(0, 1_000, 1_000, 1_000, 9), duration_s=6.0
    )
    assert step.generator_cpu == pytest.approx(0.5)
    assert step.busiest_worker == pytest.approx(0.5)  # over the four seconds of load
    assert figures(counts={"events": 0}).generator_cpu is None


def test_users_are_those_planned_and_those_connected() -> None:
    step = figures(counts={"users": 80, "events": 10})
    assert (step.users, step.connected, step.folder) == (100, 80, "here")
