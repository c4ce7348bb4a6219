from pathlib import Path

import pytest
from msgspec.structs import replace

from streamgauge.core.compare import Design
from streamgauge.core.finding import Outcome
from streamgauge.report.model import Report
from streamgauge.study.compare import Incomparable, Launch, Study, load, study
from tests.support.launches import MACHINE, launch, side_by_side, store

STEADY = [80_000.0, 80_400, 79_700, 80_100, 79_900, 80_300]


def launched(reports: list[Report], side: str) -> list[Launch]:
    return [Launch(f"{side}/{number}", report) for number, report in enumerate(reports)]


def compared(base: list[Report], head: list[Report], *gated: str) -> Study:
    return study(launched(base, "base"), launched(head, "head"), gated)


def refusal(base: Report, head: Report) -> str:
    with pytest.raises(Incomparable) as refused:
        compared([base], [head])
    return str(refused.value)


def outcomes(of: Study) -> dict[str, Outcome]:
    return {one.name: one.outcome for one in of.comparisons if one.limit is not None}


# What is refused, and why


def test_different_machines_are_refused_by_what_differs() -> None:
    other = replace(MACHINE, cores=8, packages={"locust": "2.48.0"}, fingerprint="ffffffffffff")
    said = refusal(launch(0), launch(9, environment=other))
    assert said == "head/0 and base/0: different machines: cores 8 and 2; locust 2.48.0 and 2.47.0"


def test_a_fingerprint_that_fits_nothing_else_is_said_to_be_odd() -> None:
    said = refusal(launch(0), launch(9, environment=replace(MACHINE, fingerprint="ffffffffffff")))
    assert said == (
        "head/0 and base/0: different machines: "
        "their digests differ, but nothing that a report keeps does: was one written by hand?"
    )


def test_different_plans_are_refused_by_what_differs_but_for_the_target() -> None:
    other = launch(9, plan={"users": 200, "target": "ws://127.0.0.1:9/ws"}, plan_digest="other")
    assert refusal(launch(0), other) == "head/0 and base/0: different plans: users 200 and 100"


def test_different_plans_of_one_side_are_refused_too() -> None:
    with pytest.raises(Incomparable, match="base/1 and base/0: different plans"):
        compared([launch(0), launch(9, plan_digest="other")], [launch(20)])


def test_what_was_cut_short_or_does_not_say_where_it_is_from_is_refused() -> None:
    assert refusal(launch(0), launch(9, cut_short=True)).startswith("head/0: cut short")
    assert "of which machine and plan" in refusal(launch(0), launch(9, plan_digest=""))


def test_a_run_is_not_compared_with_itself() -> None:
    with pytest.raises(Incomparable, match="the same run twice"):
        study([Launch("results/one", launch(0))], [Launch("results/../results/one", launch(0))])


def test_no_such_metric() -> None:
    with pytest.raises(Incomparable, match="--gate speed: no such metric; there are server-cpu-per-event, "):
        compared([launch(0)], [launch(9)], "speed")


# Folders


def test_a_folder_is_a_result_folder_or_holds_such(tmp_path: Path) -> None:
    store([launch(0), launch(10)], tmp_path)
    assert len(load([tmp_path])) == 2
    assert [one.folder for one in load([tmp_path / "run-01"])] == [str(tmp_path / "run-01")]
    assert len(load([tmp_path / "run-00", tmp_path / "run-01"])) == 2


def test_a_folder_without_a_report(tmp_path: Path) -> None:
    with pytest.raises(Incomparable, match=r"no report\.json in it, nor in a folder of it"):
        load([tmp_path])


def test_a_report_of_another_schema_is_refused(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text('{"schema": 1}')
    with pytest.raises(Incomparable, match=r"report\.json: a report of schema 1; this version reads"):
        load([tmp_path])


# Pairs


def test_launches_at_the_same_time_are_pairs_in_whatever_order_they_are_given() -> None:
    noisy = [80_000.0, 120_000, 60_000, 300_000]
    base, head = side_by_side(noisy, [cost * 1.2 for cost in noisy])
    found = compared(base, head[::-1])
    assert found.design is Design.PAIRED
    assert found.base == ("base/0", "base/1", "base/2", "base/3")
    assert found.head == ("head/3", "head/2", "head/1", "head/0")
    assert outcomes(found)["server-cpu-per-event"] is Outcome.FAIL


def test_launches_one_after_the_other_are_no_pairs() -> None:
    base, head = [launch(20 * n) for n in range(4)], [launch(20 * n + 10) for n in range(4)]
    assert compared(base, head).design is Design.APART


def test_a_launch_that_lost_its_partner_is_left_out() -> None:
    base, head = side_by_side(STEADY, STEADY)
    found = compared(base, head[1:])
    assert (found.design, len(found.base), len(found.head), found.alone) == (Design.PAIRED, 5, 5, 1)


# The verdict


def test_the_same_passes_and_a_slower_one_fails() -> None:
    assert compared(*side_by_side(STEADY, STEADY[::-1])).outcome is Outcome.PASS
    slower = compared(*side_by_side(STEADY, [cost * 1.2 for cost in STEADY]))
    assert slower.outcome is Outcome.FAIL
    assert outcomes(slower) == {
        "server-cpu-per-event": Outcome.FAIL,
        "events-per-second": Outcome.PASS,
        "first-event-p50": Outcome.PASS,
        "delivery-p50": Outcome.PASS,
    }


def test_a_single_pair_is_inconclusive_however_far_apart() -> None:
    assert compared([launch(0)], [launch(0, 900_000)]).outcome is Outcome.UNKNOWN


def test_twenty_single_pairs_never_fail() -> None:
    pairs = [compared([launch(0)], [launch(0, 80_000 * 1.3**n)]) for n in range(20)]
    assert [pair.outcome for pair in pairs] == [Outcome.UNKNOWN] * 20


@pytest.mark.parametrize(
    ("outcome", "says"), [(Outcome.FAIL, "broke rules"), (Outcome.UNKNOWN, "came to no verdict")]
)
def test_launches_that_did_not_pass_themselves_keep_a_pass_back(outcome: Outcome, says: str) -> None:
    base, head = side_by_side(STEADY, STEADY)
    found = compared(base, [*head[:-1], replace(head[-1], outcome=outcome)])
    assert found.outcome is Outcome.UNKNOWN
    assert found.remarks == (f"1 of 6 launches of head {says}: head/5",)


def test_doubtful_latencies_are_no_figures() -> None:
    base, head = side_by_side(STEADY, STEADY)
    doubtful = [
        replace(report, durations=tuple(replace(of, doubtful=True) for of in report.durations))
        for report in base
    ]
    found = compared(doubtful, head)
    assert outcomes(found)["first-event-p50"] is Outcome.UNKNOWN
    assert outcomes(found)["server-cpu-per-event"] is Outcome.PASS


def test_a_server_without_metrics_is_compared_by_the_rest() -> None:
    bare = [launch(10 * n, None, per_second=2_000 + n) for n in range(6)]
    others = [launch(10 * n + 0.5, None, per_second=2_003 - n) for n in range(6)]
    found = compared(bare, others)
    assert found.absent == ("server-cpu-per-event", "server-memory")
    assert found.outcome is Outcome.PASS
    assert compared(bare, others, "server-cpu-per-event").outcome is Outcome.UNKNOWN


def test_only_named_metrics_decide() -> None:
    base, head = side_by_side(STEADY, STEADY)
    slow = [replace(report, durations=launch(0, p50_ns=9_000_000).durations) for report in head]
    assert compared(base, slow).outcome is Outcome.FAIL
    assert compared(base, slow, "server-cpu-per-event", "server-memory").outcome is Outcome.PASS


def test_seconds_in_which_users_come_and_go_do_not_count() -> None:
    found = compared([launch(0, seconds=(900, 2_000, 2_100, 1_900, 3))], [launch(9, seconds=(1, 2))])
    rate = next(one for one in found.comparisons if one.name == "events-per-second")
    assert rate.base == pytest.approx(2_000)
    assert rate.launches == (1, 0)
