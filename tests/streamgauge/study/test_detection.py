"""One run held against the row of its fault: found, missed, or not known."""

from collections.abc import Callable

from msgspec.structs import replace

from streamgauge.core.contract import Rule
from streamgauge.core.finding import LATENCY, VERDICT, Doubt, Finding, Outcome, Witness
from streamgauge.report.model import Fault, Report
from streamgauge.study.detection import hold
from streamgauge.study.fault_table import THRESHOLD, Row

Make = Callable[..., Report]

ROW = Row("F09", "drop", ("seq-contiguous",), ("offset-contiguous",), "gap")
DOUBTED = Row("F36", "clock-lie", (), doubt="clock")
CLOCK = Doubt("clock", "3 s ahead", "0", "mend it", VERDICT)
SEEN = Witness(1, "thinking", "r-1", 4, guilty=True)


def finding(rule: Rule, problem: str = "gap", *witnesses: Witness) -> Finding:
    seen = witnesses or (SEEN,)
    return Finding(rule, problem, "u1", 1, 1, run="r-1", witnesses=seen, numbers=((3, 3),))


GAP = finding(Rule.SEQ_CONTIGUOUS)


def committed(report: Report, struck: int | None = 10, chances: int | None = 1_000) -> Report:
    return replace(report, faults=(Fault("drop:0.01", struck, chances),))


def test_a_fault_that_its_rule_finds_is_found(make: Make) -> None:
    run = committed(make(GAP))
    cell = hold(ROW, 0.01, run, run)
    assert (cell.outcome, cell.why) == ("pass", ())
    assert (cell.struck, cell.chances, cell.failed) == (10, 1_000, {"seq-contiguous": 1})
    assert cell.problems == {"seq-contiguous": "gap: seq 3 never came"}


def test_what_its_row_allows_may_fail_too(make: Make) -> None:
    run = committed(make(GAP, finding(Rule.OFFSET_CONTIGUOUS)))
    assert hold(ROW, 1, run, run).outcome == "pass"


def test_a_fault_that_no_rule_finds_is_missed(make: Make) -> None:
    run = committed(make())
    cell = hold(ROW, 1, run, run)
    assert (cell.outcome, cell.why) == ("fail", ("seq-contiguous did not fail",))


def test_what_may_fail_is_not_enough(make: Make) -> None:
    run = committed(make(finding(Rule.OFFSET_CONTIGUOUS)))
    assert hold(ROW, 1, run, run).why == ("seq-contiguous did not fail",)


def test_a_rule_outside_the_row_is_a_false_alarm(make: Make) -> None:
    run = committed(make(GAP, finding(Rule.ECHO)))
    cell = hold(ROW, 1, run, run)
    assert (cell.outcome, cell.why) == ("fail", ("echo failed, and is not in its row",))


def test_a_false_alarm_is_one_even_where_the_fault_never_struck(make: Make) -> None:
    run = committed(make(finding(Rule.ECHO)), struck=0)
    assert hold(ROW, 1, run, run).outcome == "fail"


def test_a_threshold_outside_the_row_is_a_false_alarm(make: Make) -> None:
    run = committed(make(GAP, thresholds=["p50(delivery) < 1us"]))
    assert hold(ROW, 1, run, run).why == ("threshold failed, and is not in its row",)
    assert hold(replace(ROW, may=("threshold",)), 1, run, run).outcome == "pass"


def test_the_finding_must_call_it_what_it_is(make: Make) -> None:
    run = committed(make(finding(Rule.SEQ_CONTIGUOUS, "repeat")))
    assert hold(ROW, 1, run, run).why == ("seq-contiguous: no finding says 'gap'",)


def test_a_finding_without_a_witness_is_not_enough(make: Make) -> None:
    run = committed(make(replace(GAP, witnesses=())))
    assert hold(ROW, 1, run, run).why == ("seq-contiguous: a finding has no witness",)


def test_each_finding_needs_a_guilty_one(make: Make) -> None:
    innocent = replace(GAP, request="q-1", witnesses=(replace(SEEN, guilty=False),))
    run = committed(make(GAP, innocent))
    assert hold(ROW, 1, run, run).why == ("seq-contiguous: a finding has no witness",)


def test_of_what_the_server_holds_its_count_is_enough(make: Make) -> None:
    left = replace(finding(Rule.RESOURCE, "runs left"), user="", witnesses=())
    run = committed(make(left))
    assert hold(replace(ROW, must=("resource",), problem=""), 1, run, run).outcome == "pass"


def test_a_recording_that_says_otherwise_is_a_miss(make: Make) -> None:
    cell = hold(ROW, 1, committed(make(GAP)), committed(make()))
    assert cell.outcome == "fail"
    assert cell.why == (
        (
            "seq-contiguous: live fail (1 found, 1000 exercised, 0 unknown), "
            "from the recording pass (0 found, 1000 exercised, 0 unknown)"
        ),
        "live fail, from the recording pass",
    )


def test_a_fault_that_never_struck_is_not_found_and_not_missed(make: Make) -> None:
    run = committed(make(), struck=0)
    cell = hold(ROW, 1, run, run)
    assert (cell.outcome, cell.why) == ("unknown", ("the fault never struck",))


def test_a_server_that_does_not_say_proves_nothing(make: Make) -> None:
    run = committed(make(GAP), struck=None)
    assert hold(ROW, 1, run, run).outcome == "unknown"


def test_too_few_chances_prove_nothing_at_the_low_rate(make: Make) -> None:
    run = committed(make(GAP), chances=999)
    assert hold(ROW, 0.01, run, run).why == ("999 chances, and 1,000 are needed",)
    assert hold(ROW, 1, run, run).outcome == "pass"


def test_a_doubt_that_is_due_must_be_there_and_void_the_run(make: Make) -> None:
    def lied(report: Report) -> Report:
        return replace(report, faults=(Fault("clock-lie", 5, 5),))

    doubted, fine = lied(make(doubts=[CLOCK])), lied(make())
    assert hold(DOUBTED, 1, doubted, doubted).outcome == "pass"
    assert hold(DOUBTED, 1, doubted, doubted).doubts == ("clock",)
    assert hold(DOUBTED, 1, fine, fine).why == ("there is no doubt 'clock'",)


def test_a_threshold_that_could_not_be_told_misses_nothing(make: Make) -> None:
    slow = Row("F27", "drop", (THRESHOLD,))
    late = Doubt("schedule slip", "1.2 s", "100 ms", "fewer users", LATENCY)
    kept = committed(make(thresholds=["p50(delivery) < 1s"]))
    assert hold(slow, 1, kept, kept).why == ("threshold did not fail",)
    unknown = tuple(replace(one, outcome=Outcome.UNKNOWN) for one in kept.thresholds)
    run = replace(kept, thresholds=unknown, doubts=(late,))
    cell = hold(slow, 1, run, run)
    assert (cell.outcome, cell.why) == ("unknown", ("a threshold is unknown: schedule slip",))
