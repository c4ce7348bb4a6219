from collections.abc import Callable

import msgspec
import pytest

from streamgauge.core.checks.extent import Leaks as CheckLeaks
from streamgauge.core.contract import Rule
from streamgauge.core.control import Control
from streamgauge.core.finding import Doubt, Finding, Outcome, Witness
from streamgauge.core.interval import zero_upper_bound
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.threshold import Level, parse
from streamgauge.report.conclude import MOST_ITEMS, MOST_SECONDS
from streamgauge.report.model import Environment, Fault, Leak, Leaks, Report

Make = Callable[..., Report]
TOKEN = "sgcanaryAbCdEfGhIjKlMnOpQrSt"  # of healthy users
Gap = Callable[..., Finding]


def test_a_healthy_run_passes_without_reasons(make: Make) -> None:
    report = make()
    assert (report.outcome, report.reasons) == (Outcome.PASS, ())
    assert [share.outcome for share in report.shares] == [Outcome.PASS] * 3
    assert report.scenario == "steady"
    assert report.cuts == ()


def test_one_finding_fails_the_run(make: Make, gap: Gap) -> None:
    report = make(gap())
    assert report.outcome is Outcome.FAIL
    (reason,) = report.reasons
    assert reason.startswith("seq-contiguous: 1 finding")


def test_a_rule_that_is_not_required_fails_the_run_as_well(make: Make, gap: Gap) -> None:
    assert make(gap(), required=[Rule.ECHO]).outcome is Outcome.FAIL


def test_a_share_below_all_fails_the_run(make: Make) -> None:
    report = make(counts={"runs with thinking": 999})
    assert report.outcome is Outcome.FAIL
    assert report.reasons == ("runs with thinking: 99.90 %, 999 of 1,000 runs",)


def test_a_share_of_nothing_is_unknown(make: Make) -> None:
    report = make(counts={"runs expected whole": 0})
    assert report.outcome is Outcome.UNKNOWN
    assert [reason.split(": ")[1] for reason in report.reasons] == ["nothing to count"] * 3


def test_a_required_rule_that_was_not_exercised_is_unknown(make: Make) -> None:
    report = make(exercised={Rule.TOOL_PAIRING: 0})
    assert report.outcome is Outcome.UNKNOWN
    assert report.reasons == ("tool-pairing: required, and not exercised",)


def test_a_required_rule_that_was_masked_is_unknown(make: Make) -> None:
    report = make(masked={Rule.TOOL_PAIRING: 7})
    assert report.outcome is Outcome.UNKNOWN
    assert report.reasons == ("tool-pairing: required, and masked by another finding in 7 runs",)


def test_other_rules_need_not_be_exercised(make: Make) -> None:
    required = [rule for rule in Rule if rule is not Rule.TOOL_PAIRING]
    report = make(exercised={Rule.TOOL_PAIRING: 0}, required=required)
    assert (report.outcome, report.reasons) == (Outcome.PASS, ())


def test_nothing_exercised_is_unknown(make: Make) -> None:
    report = make(runs=0)
    assert report.outcome is Outcome.UNKNOWN
    assert len(report.reasons) == len(Rule) + 3
    assert report.bounds == ()
    assert report.seconds == ()
    assert report.durations[0].mean_ns is None


def test_a_doubt_may_void_the_verdict(make: Make, dead: Doubt) -> None:
    report = make(doubts=[dead])
    assert report.outcome is Outcome.UNKNOWN
    assert report.reasons == ("worker 3 sent no state",)
    assert report.durations[0].doubtful


def test_a_doubt_about_latency_only_marks_it(make: Make, lagging: Doubt) -> None:
    report = make(doubts=[lagging])
    assert report.outcome is Outcome.PASS
    sound = {duration.name for duration in report.durations if not duration.doubtful}
    assert sound == {Metric.LAG, Metric.SLIP}


def test_a_doubt_that_voids_nothing_marks_nothing(make: Make) -> None:
    report = make(doubts=[Doubt("odd", "1", "2", "", "")])
    assert report.outcome is Outcome.PASS
    assert not any(duration.doubtful for duration in report.durations)


def test_fail_outranks_unknown_and_both_are_told(make: Make, gap: Gap, leak: Finding, dead: Doubt) -> None:
    report = make(gap(), leak, doubts=[dead], counts={"runs with a result": 0}, exercised={Rule.ECHO: 0})
    assert report.outcome is Outcome.FAIL
    assert [reason.split(":")[0] for reason in report.reasons] == [
        "isolation-canary",
        "seq-contiguous",
        "delivery success",
        "worker 3 sent no state",
        "echo",
    ]


def test_a_run_cut_short_is_marked_and_no_more(make: Make) -> None:
    report = make(cut_short=True)
    assert report.cut_short
    assert report.outcome is Outcome.PASS


def test_the_matrix_of_leaks_is_sparse_and_names_owners_of_canaries(make: Make) -> None:
    leaks = CheckLeaks()
    leaks.count("u2", sender="u1", times=2)
    leaks.count("u3", token=f"{TOKEN}1")
    report = make(leaks=leaks)
    assert report.leaks == Leaks(3, 2, 0, (Leak("u1", "u2", 2), Leak("u1", "u3", 1)), leaked=3)


def test_findings_have_names(make: Make, gap: Gap) -> None:
    verdict = next(v for v in make(gap("r-1"), gap("r-2")).verdicts if v.found)
    assert [found.id for found in verdict.findings] == ["seq-contiguous-1", "seq-contiguous-2"]


def test_users_and_runs_are_counted(make: Make) -> None:
    counts = make(counts={"runs ended in timeout": 5, "runs never settled": 2}).counts
    assert (counts["users"], counts["runs"], counts["events"]) == (100, 1_007, 12_000)


def test_events_are_spread_over_the_seconds(make: Make) -> None:
    report = make(runs=10)
    assert report.seconds == (50, 0, 70)
    assert report.duration_s == 4.0
    assert report.events_per_s == 30.0


def test_the_canary_of_a_leak_is_only_a_digest(make: Make, leak: Finding) -> None:
    report = make(leak)
    (finding,) = next(v for v in report.verdicts if v.rule is Rule.ISOLATION_CANARY).findings
    assert finding.other == "u23"
    assert len(finding.token) == 8
    assert b"sgcanary" not in msgspec.json.encode(report)


def test_secrets_go_wherever_they_stand(
    make: Make, gap: Gap, environment: Callable[..., Environment]
) -> None:
    report = make(
        gap(run="sgcanaryXXXX", detail="sgcanaryYYYY"),
        plan={"jwt_secret": "hunter2", "more": [{"password": "hunter2"}]},
        counts={"runs ended in sgcanaryZZZZ": 1},
        environment=environment("streamgauge run --token hunter2"),
        faults=[Fault("Bearer hunter2", 1)],
    )
    encoded = msgspec.json.encode(report)
    assert b"hunter2" not in encoded
    assert b"sgcanary" not in encoded


def test_strings_in_findings_are_short(make: Make, gap: Gap) -> None:
    report = make(gap(detail="x" * 5_000))
    (finding,) = next(v for v in report.verdicts if v.found).findings
    assert finding.witnesses[1].detail == "x" * 200 + "… (+4,800 characters)"


def test_what_is_cut_is_said(make: Make) -> None:
    report = make(
        plan={"scenario": "steady", "script": ["x" * 999] * 99},
        seconds={MOST_SECONDS + 100: 1},
        counts={f"unsent: {number}": 1 for number in range(2_000)},
        faults=[Fault(str(number), 1) for number in range(1_500)],
    )
    assert report.plan == {}
    assert len(report.seconds) == MOST_SECONDS
    assert len(report.counts) == len(report.faults) == MOST_ITEMS
    assert sorted(cut.split(":")[0] for cut in report.cuts) == ["counts", "faults", "plan", "seconds"]
    assert "faults: the first 1,000 of 1,500" in report.cuts


def test_the_counts_one_wants_first_are_never_cut(make: Make) -> None:
    report = make(counts={f"runs ended in {number}": 1 for number in range(2_000)})
    assert len(report.counts) == MOST_ITEMS
    assert report.counts["events"] == 12_000
    assert (report.counts["users"], report.counts["runs"]) == (100, 3_000)
    assert report.counts["runs with thinking"] == 1_000


def test_a_finding_keeps_its_witnesses(make: Make, gap: Gap) -> None:
    (finding,) = next(v for v in make(gap()).verdicts if v.found).findings
    assert [witness.guilty for witness in finding.witnesses] == [False, True, False]
    assert isinstance(finding.witnesses[0], Witness)


# Thresholds


def test_a_threshold_that_holds_passes_the_run(make: Make) -> None:
    report = make(thresholds=["p99(delivery) < 50ms", "rate(leaks) == 0", "goodput >= 250/s"])
    assert (report.outcome, report.reasons) == (Outcome.PASS, ())
    assert [result.outcome for result in report.thresholds] == [Outcome.PASS] * 3
    delivery, leaks, goodput = report.thresholds
    assert (delivery.n, leaks.n, goodput.n) == (1_000, 12_000, 1_000)
    assert (leaks.high, goodput.value) == (zero_upper_bound(12_000), 250.0)


def test_a_threshold_that_does_not_hold_fails_the_run(make: Make) -> None:
    report = make(thresholds=["max(run) < 1ms", "rate(leaks) == 0"])
    assert report.outcome is Outcome.FAIL
    assert report.reasons == ("max(run) < 1ms: 2.00 ms, n = 1,000",)


def test_too_few_samples_make_the_run_unknown(make: Make) -> None:
    report = make(thresholds=["p99.9(run) < 1s"])
    assert report.outcome is Outcome.UNKNOWN
    assert report.reasons == ("p99.9(run) < 1s: n = 1,000, needs 2,995",)


def test_what_was_not_measured_is_unknown(make: Make) -> None:
    report = make(thresholds=["max(chunk_gap) < 1s"])
    assert report.reasons == ("max(chunk_gap) < 1s: n = 0, not measured",)


@pytest.mark.parametrize("text", ["max(run) < 1ms", "p99.9(run) < 1s", "max(chunk_gap) < 1s"])
def test_a_warning_changes_nothing_but_is_there(make: Make, text: str) -> None:
    report = make(thresholds=[parse(text, Level.WARN)])
    assert (report.outcome, report.reasons) == (Outcome.PASS, ())
    assert report.thresholds[0].outcome is not Outcome.PASS


def test_a_doubt_about_latency_makes_its_thresholds_unknown_and_no_other(make: Make, lagging: Doubt) -> None:
    report = make(
        thresholds=["max(run) < 1us", "max(run) < 1h", "max(lag) < 1h", "rate(errors) < 2%"],
        doubts=[lagging],
    )
    assert report.outcome is Outcome.UNKNOWN
    assert [result.outcome for result in report.thresholds] == [
        *(Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.PASS, Outcome.PASS)
    ]
    assert report.reasons[1] == "max(run) < 1h: 2.00 ms, n = 1,000, void: generator lag p99"


def test_thresholds_come_after_rules_and_shares_and_before_what_is_unknown(
    make: Make, gap: Gap, dead: Doubt
) -> None:
    report = make(
        gap(),
        counts={"runs with thinking": 3},
        doubts=[dead],
        thresholds=["thinking == 1", "p50(run) < 1h"],
    )
    assert [reason.split(":")[0] for reason in report.reasons] == [
        "seq-contiguous",
        "runs with thinking",
        "thinking == 1",
        "worker 3 sent no state",
        "p50(run) < 1h",
    ]


def test_a_share_of_what_is_not_promised_is_left_out(make: Make) -> None:
    report = make(
        promises=frozenset(Rule) - {Rule.THINKING_PRESENT}, counts={"runs with thinking": 0}, exercised={}
    )
    assert [share.name for share in report.shares] == ["runs with the full sequence", "delivery success"]
    assert report.outcome == "pass"


def test_a_control_that_was_not_caught_makes_the_verdict_unknown_and_never_hides_a_failure(
    make: Make, gap: Gap
) -> None:
    blind = Control(problem="its proxy fell")
    assert make().control is None
    assert make(control=blind).outcome == "unknown"
    assert [doubt.name for doubt in make(control=blind).doubts] == ["control"]
    assert make(gap(), control=blind).outcome == "fail"
