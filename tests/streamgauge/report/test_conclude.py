from collections.abc import Callable

import msgspec
import pytest
from msgspec.structs import replace

from streamgauge.core.checks.extent import Leaks as CheckLeaks
from streamgauge.core.checks.extent import Losses
from streamgauge.core.contract import Rule
from streamgauge.core.control import Control
from streamgauge.core.finding import Doubt, Finding, Outcome, Struck, Witness
from streamgauge.core.interval import exact_interval, zero_upper_bound
from streamgauge.core.metrics.goodput import GoodputState
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.metrics.streams import StreamState
from streamgauge.core.threshold import Level, parse
from streamgauge.report.conclude import MOST_ITEMS, MOST_SECONDS
from streamgauge.report.model import LOSS, Environment, Fault, Leak, Leaks, RateQuantile, Report

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


def test_a_quantile_stands_only_where_the_sample_carries_it(make: Make) -> None:
    p50, p90, p99, p999 = make(runs=1_000).durations[0].quantiles
    for quantile in (p50, p90, p99):
        assert quantile.value_ns is not None
        assert quantile.low_ns is not None
        assert quantile.high_ns is not None
        assert quantile.low_ns <= quantile.value_ns <= quantile.high_ns
    assert p50.value_ns == pytest.approx(1_499_000, rel=0.01)
    assert (p999.value_ns, p999.low_ns, p999.high_ns, p999.needs) == (None, None, None, 2_995)


def test_the_smallest_samples_for_p99(make: Make) -> None:
    assert make(runs=298).durations[0].quantiles[2].value_ns is None
    assert make(runs=299).durations[0].quantiles[2].value_ns is not None


def test_mean_and_maximum_are_exact(make: Make) -> None:
    first = make(runs=11).durations[0]
    assert (first.n, first.mean_ns, first.most_ns) == (11, 1_005_000.0, 1_010_000)


def bounds(report: Report, what: str) -> list[tuple[str, int, int]]:
    return [(bound.unit, bound.hits, bound.n) for bound in report.bounds if bound.what == what]


ISOLATION = [Rule.ISOLATION_CANARY, Rule.ISOLATION_ENVELOPE]


@pytest.mark.parametrize("rule", ISOLATION)
def test_where_no_leak_was_seen_its_rate_is_bounded(make: Make, rule: Rule) -> None:
    report = make()
    assert bounds(report, rule) == [("message", 0, 12_000), ("run", 0, 1_000), ("connection", 0, 100)]
    assert [(b.lower, b.upper) for b in report.bounds] == [(0, zero_upper_bound(b.n)) for b in report.bounds]


def test_where_no_loss_was_seen_its_rate_is_bounded(make: Make) -> None:
    assert bounds(make(), LOSS) == [("event", 0, 12_000), ("run", 0, 1_000), ("connection", 0, 100)]


@pytest.mark.parametrize("rule", ISOLATION)
def test_where_one_was_seen_its_rate_has_an_interval(make: Make, rule: Rule) -> None:
    report = make(Finding(rule, "leak", "u1", 1, 0), struck={rule: Struck(3, 2, 1)})
    assert bounds(report, rule) == [("message", 3, 12_000), ("run", 2, 1_000), ("connection", 1, 100)]
    of_connections = next(b for b in report.bounds if b.what == rule and b.unit == "connection")
    assert (of_connections.lower, of_connections.upper) == exact_interval(1, 100)


def test_any_other_rule_has_an_interval_where_it_was_broken(make: Make, gap: Gap) -> None:
    report = make(gap(), struck={Rule.SEQ_CONTIGUOUS: Struck(runs=2, connections=1)})
    assert bounds(report, Rule.SEQ_CONTIGUOUS) == [("run", 2, 1_000), ("connection", 1, 100)]
    assert bounds(report, Rule.ECHO) == []


def test_what_was_lost_is_among_what_there_was(make: Make) -> None:
    lost = Losses(gaps=3, gap_runs=1, tails=1, runs=2, connections=2)
    assert bounds(make(losses=lost), LOSS) == [
        ("event", 4, 12_004),
        ("run", 2, 1_000),
        ("connection", 2, 100),
    ]


def test_where_nobody_looked_there_is_no_bound(make: Make) -> None:
    report = make(exercised=dict.fromkeys([*ISOLATION, Rule.SEQ_CONTIGUOUS, Rule.COMPLETE], 0))
    assert report.bounds == ()


def test_the_matrix_of_leaks_is_sparse_and_names_owners_of_canaries(make: Make) -> None:
    leaks = CheckLeaks()
    leaks.count("u2", sender="u1", times=2)
    leaks.count("u3", token=f"{TOKEN}1")
    report = make(leaks=leaks)
    assert report.leaks == Leaks(3, 2, 0, (Leak("u1", "u2", 2), Leak("u1", "u3", 1)))


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


# Goodput and streams


def test_goodput_is_per_second_and_a_share_with_its_interval(make: Make) -> None:
    limits = {"run < 30s": 3, "first_event < 1s": 0}
    goodput = make(goodput=GoodputState(1_000, 990, 4, 5, limits)).goodput
    assert (goodput.good, goodput.of, goodput.per_s) == (990, 1_000, 247.5)
    assert (goodput.broken, goodput.unfinished, goodput.beyond) == (4, 5, limits)
    assert goodput.low is not None
    assert goodput.high is not None
    assert 0.98 < goodput.low < 0.99 < goodput.high < 1


def test_goodput_of_nothing_has_no_share(make: Make) -> None:
    goodput = make(runs=0).goodput
    assert (goodput.of, goodput.low, goodput.high) == (0, None, None)


def test_goodput_with_limits_is_as_doubtful_as_the_latency(make: Make, lagging: Doubt, dead: Doubt) -> None:
    limited = GoodputState(1_000, 990, beyond={"run < 30s": 10})
    assert make(goodput=limited, doubts=[lagging]).goodput.doubtful
    assert not make(doubts=[lagging]).goodput.doubtful
    assert make(doubts=[dead]).goodput.doubtful
    assert not make(goodput=limited).goodput.doubtful


def test_chunks_per_second_have_the_quantiles_that_the_streams_carry(
    make: Make, streaming: StreamState
) -> None:
    streams = make(streams=streaming).streams
    assert (streams.streams, streams.chunks, streams.at_once) == (301, 6_020, 1)
    assert (streams.stalls, streams.stalled, streams.stall_ns) == (3, 2, 1_000_000_000)
    assert [rate.q for rate in streams.quantiles] == [0.01, 0.1, 0.5, 0.9]
    for rate in streams.quantiles:
        told = (rate.low_per_s, rate.value_per_s, rate.high_per_s)
        assert told == pytest.approx((20.15,) * 3, rel=0.02)
    few = replace(streaming, rates=replace(streaming.rates, n=298))
    assert make(streams=few).streams.quantiles[0] == RateQuantile(0.01, needs=299)


def test_streams_are_as_doubtful_as_the_latency(make: Make, streaming: StreamState, lagging: Doubt) -> None:
    assert make(streams=streaming, doubts=[lagging]).streams.doubtful
    assert not make(streams=streaming).streams.doubtful


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
