"""The page of what is detected, and what a terminal is told."""

import xml.etree.ElementTree as ET

from msgspec.structs import replace

from streamgauge.core.finding import Outcome
from streamgauge.report.model import Environment
from streamgauge.study.clean_runs import CleanRun
from streamgauge.study.detection import Cell
from streamgauge.study.fault_table import ROWS
from streamgauge.study.mutation import Mutation
from streamgauge.study.plot_power import plot_power
from streamgauge.study.power import Point
from streamgauge.study.render_detection import render_detection
from streamgauge.study.render_selftest import render_list, render_text, told
from streamgauge.study.selftest import Base, Result

SWAP = Cell("swap", 1, Outcome.PASS, (), 200, 210, {"seq-contiguous": 200})
RARE = Cell("swap", 0.01, Outcome.FAIL, ("seq-contiguous did not fail",), 12, 1_400)
POINTS = [
    Point(mutation, rate, events, 100, struck, struck)
    for mutation in Mutation
    for events, rate, struck in ((4_000, 1e-3, 98), (4_000, 1e-4, 33), (400_000, 1e-5, 99))
]
CLEAN = [CleanRun(n, "none", Outcome.PASS, 2_000) for n in range(300)]
WHERE = Environment("", "", "", "x86_64", "Linux", 2, "3.11", {}, cpu="A processor")
RESULTS: list[Result] = [SWAP, RARE, Base(Outcome.PASS, 400_000, "x"), *POINTS, *CLEAN]


def page(results: list[Result]) -> str:
    return render_detection(results, WHERE, "c0de", "detection.svg")


def test_a_row_of_the_matrix_shows_both_rates() -> None:
    line = next(line for line in page(RESULTS).splitlines() if "`swap`" in line and line.startswith("|"))
    assert line == (
        "| F17 | `swap` | `seq-contiguous` | found, struck 200 of 210 | seq-contiguous 200 "
        "| MISSED, struck 12 of 1,400 | – |"
    )


def test_every_fault_has_a_row_whether_it_was_run_or_not() -> None:
    text = page(RESULTS)
    assert all(f"| {row.number} | `{row.name}` |" in text for row in ROWS)
    assert "| F09 | `drop` | `seq-contiguous` | not run | – | not run | – |" in text
    assert "| F34 | `oracle` | `isolation-active` | not run | – | no rate | – |" in text


def test_what_was_missed_says_why() -> None:
    assert "* `swap` at 1.0 %: seq-contiguous did not fail" in page(RESULTS)
    assert "Not as it should be" not in page([result for result in RESULTS if result is not RARE])


def test_the_least_rates_stand_by_size() -> None:
    text = page(RESULTS)
    assert "| one event in | caught in 95 % of recordings of 4,000 events | " in text
    assert "| leak (`isolation-canary`) | 1,000 | 100,000 |" in text


def test_all_that_was_struck_was_caught_and_how_sure_that_is() -> None:
    struck = 6 * (98 + 33 + 99)
    assert f"of the {struck:,} recordings in which one struck at all {struck:,} were caught" in page(RESULTS)
    assert "are missed, 95 %)" in page(RESULTS)
    missed = [replace(p, caught=p.caught - 1) if isinstance(p, Point) else p for p in RESULTS]
    assert "are missed, 95 %)" not in page(missed)


def test_no_false_alarm_is_bounded_and_one_is_told() -> None:
    assert "**0 false alarms in 300 runs**: at most 0.99 % of such runs fail (95 %)." in page(RESULTS)
    alarm = CleanRun(300, "none", Outcome.FAIL, 2_000, ("echo: 1 finding",))
    assert "**1 false alarms in 301 runs**." in page([*RESULTS, alarm])
    assert "* run 301 (none): fail: echo: 1 finding" in page([*RESULTS, alarm])


def test_what_is_inconclusive_is_no_pass() -> None:
    dark = CleanRun(300, "none", Outcome.UNKNOWN, 2_000, ("steal",))
    assert "**0 false alarms in 300 runs**" in page([*RESULTS, dark])
    assert "Another 1 were inconclusive, and are no pass." in page([*RESULTS, dark])
    assert "| none | 301 | 602,000 | 300 | 1 | 0 |" in page([*RESULTS, dark])


def test_the_picture_has_a_dot_a_point_and_is_xml() -> None:
    drawn = ET.fromstring(plot_power(POINTS))
    svg = "{http://www.w3.org/2000/svg}"
    assert len(list(drawn.iter(f"{svg}g"))) == len(POINTS)
    assert any("400,000 events" in (text.text or "") for text in drawn.iter(f"{svg}text"))


def test_a_terminal_is_told_the_misses_and_the_sums() -> None:
    text = render_text(RESULTS)
    assert "swap at 1.0 %: MISSED: seq-contiguous did not fail" in text
    assert text.splitlines()[-1] == (
        "FAIL  1 of 2 faults and rates found as their rows say; 1,380 of 1,380 struck recordings caught; "
        "0 false alarms in 300 clean runs (at most 0.99 %, 95 %)"
    )


def test_progress_says_what_is_left() -> None:
    assert (
        told(SWAP, 3, 40, 61)
        == "   3 of 40  swap at 100 %: found: seq-contiguous 200 of 200 strikes  (61 s left)"
    )
    doubted = Cell("clock-lie", 1.0, Outcome.PASS, struck=210, doubts=("clock",))
    assert "clock-lie at 100 %: found: doubt clock after 210 strikes" in told(doubted, 3, 40, 61)
    assert told(CLEAN[0], 4, 40, 600).endswith("clean run 1 (none): clean: 2,000 events  (10 min left)")


def test_the_list_names_every_fault_and_those_to_come() -> None:
    text = render_list()
    assert all(row.name in text for row in ROWS)
    assert "F13 resume-loss: comes with resume" in text
