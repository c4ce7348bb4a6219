"""Each part of the HTML page, and what it says."""

import re
from collections.abc import Callable
from xml.etree.ElementTree import Element

import pytest
from msgspec.structs import replace

from streamgauge.core.contract import Rule
from streamgauge.core.finding import Doubt, Finding
from streamgauge.core.overhead import Cost, Effect, Overhead
from streamgauge.report import wording
from streamgauge.report.model import Report
from streamgauge.report.render_html import MOST_FINDINGS, render_html
from tests.support.html_page import page, section, words

Make = Callable[..., Report]
Gap = Callable[..., Finding]
ALL_SECTIONS = [
    "validity",
    "thresholds",
    "rules",
    "figures",
    "percentiles",
    "times",
    "series",
    "findings",
    "faults",
    "control",
    "environment",
]


def rows(element: Element) -> list[list[str]]:
    return [[words(cell) for cell in row] for row in element.iter("tr")]


def of_class(element: Element, name: str) -> list[Element]:
    return [inner for inner in element.iter() if name in inner.get("class", "").split()]


def test_the_order_of_the_page(worst: Report) -> None:
    main = page(worst).find("body/main")
    assert main is not None
    assert [part.get("id", part.tag) for part in main] == ["header", *ALL_SECTIONS]


def test_a_clean_run_has_no_parts_without_content(make: Make) -> None:
    sections = [element.get("id") for element in page(make()).iter("section")]
    assert sections == [
        name for name in ALL_SECTIONS if name not in ("thresholds", "findings", "faults", "control")
    ]


@pytest.mark.parametrize("outcome", ["pass", "fail", "unknown"])
def test_the_banner_says_the_verdict(make: Make, gap: Gap, dead: Doubt, outcome: str) -> None:
    report = {"pass": make(), "fail": make(gap(), doubts=[dead]), "unknown": make(doubts=[dead])}[outcome]
    header = page(report).find("body/main/header")
    assert header is not None
    assert header.get("class") == f"banner {outcome}"
    assert words(header.find("h1")) == f"{outcome.upper()}steady"
    assert (
        words(header.find("p"))
        == {
            "pass": "steady: 12,000 events of 100 users verified, 0 findings",
            "fail": "seq-contiguous: 1 finding in 1,000 runs: "
            "r-7f3a of u17: gap: seq 4 never came (+1 more reason)",
            "unknown": "worker 3 sent no state",
        }[outcome]
    )
    assert [words(item) for item in header.iter("li")] == (
        ["worker 3 sent no state"] if outcome == "fail" else []
    )


def test_a_run_that_was_cut_short_says_so(make: Make) -> None:
    assert "The run was cut short" in render_html(make(cut_short=True))
    assert "cut short" not in render_html(make())


def test_doubts_stand_with_their_advice_before_the_workers(make: Make, lagging: Doubt) -> None:
    box = section(make(doubts=[lagging]), "validity")
    assert words(box.find("h2")) == "Validity: 1 doubt"
    (item,) = box.iter("li")
    assert (
        words(item)
        == "generator lag p99: 12 ms (limit 5 ms) — this voids the latency; use fewer users a worker"
    )
    head, row = rows(box)
    assert head[:6] == ["worker", "messages", "CPU time", "CPU", "waited", "stolen"]
    unknown = ["unknown"] * 3
    assert row == ["w1", "12,000", "1.50 s", *unknown, "900 µs", "n < 299", "unknown"]
    assert "Validity: no doubts" in render_html(make())


def test_thresholds_with_their_outcomes(worst: Report) -> None:
    table = section(worst, "thresholds")
    assert [row.get("class") for row in table.iter("tr")] == [None, "fail", "warn", "unknown"]
    assert [row[:4] for row in rows(table)[1:]] == [
        ["p99(run)", "< 1.00 ms", "fail", "fail"],
        ["p99(run)", "< 1.00 µs", "warn", "fail"],
        ["p99.9(run)", "< 1.00 s", "fail", "unknown(needs 2,995)"],
    ]


def test_every_rule_with_its_outcome_and_a_way_to_its_findings(worst: Report) -> None:
    table = section(worst, "rules")
    by_name = {row[0]: row[1:] for row in rows(table)[1:]}
    assert list(by_name) == [str(rule) for rule in Rule]
    assert by_name["echo"] == ["pass", "1,000 runs", "", "0"]
    assert by_name["seq-contiguous"] == ["fail", "1,000 runs", "", "40"]
    assert by_name["tool-pairing"] == ["unknown", "1,000 runs", "3", "0"]
    targets = {link.get("href") for link in table.iter("a")}
    assert targets == {f"#{title.get('id')}" for title in section(worst, "findings").iter("h3")}


def test_a_rule_that_does_not_count_has_no_sign(make: Make) -> None:
    report = make(exercised={Rule.ECHO: 0}, required=[rule for rule in Rule if rule is not Rule.ECHO])
    (row,) = (row for row in section(report, "rules").iter("tr") if words(row).startswith("echo"))
    assert not of_class(row, "mark")


def test_shares_have_the_sign_of_their_outcome(make: Make) -> None:
    figures = section(make(counts={"runs with thinking": 999}), "figures")
    assert [(words(mark), mark.get("class")) for mark in of_class(figures, "mark")] == [
        ("100 %", "mark pass"),
        ("99.90 %", "mark fail"),
        ("100 %", "mark pass"),
    ]
    assert ["leaks", "none seen", "at most 1 in 33 connections (95 %)"] in rows(figures)


def test_durations_with_their_intervals_below(make: Make) -> None:
    table = section(make(), "times")
    (lag,) = (row for row in rows(table) if row[0] == "generator lag")
    assert lag[1] == "1,000"
    assert re.fullmatch(r"1\.50 ms\(1\.\d\d ms – 1\.\d\d ms\)", lag[2])
    assert lag[5] == "n < 2,995"


def test_what_events_cost(make: Make) -> None:
    effect = Effect(2e5, 1.9e5, 2.1e5, 2e5, 30)
    cost = Cost(1e6, effect, effect, effect, effect)
    weighed = Overhead(30, 0, 1_200, 12.0, cost, None, None)
    said = section(replace(make(), overhead=weighed), "overhead")
    assert words(said.find("p")) == f"{wording.overhead(weighed)}: 30 blocks, 1,200 runs."
    assert rows(said)[0][0] == "emission overhead"
    assert rows(said)[1][0] == "server CPU"


def test_plots_come_in_two_widths(make: Make) -> None:
    for name in ("percentiles", "series"):
        widths = [
            plot.get("width") for plot in section(make(), name).iter("svg") if plot.get("role") == "img"
        ]
        assert widths == ["928", "368"]


def test_what_cannot_be_drawn_is_said(make: Make) -> None:
    report = make(runs=0)
    assert "Too few values to be drawn." in words(section(report, "percentiles"))
    assert "No events were read." in words(section(report, "series"))


def test_what_the_series_shows_is_said(make: Make, gap: Gap) -> None:
    assert words(section(make(), "series")).endswith("The first and the last second are no whole ones.")
    assert "Triangles mark the findings" in words(section(make(gap()), "series"))
    long = replace(make(), seconds=(1, 2) * 500)
    assert "A step of several seconds is their mean" in words(section(long, "series"))


def test_leaks_come_first_and_name_both_users(worst: Report) -> None:
    findings = section(worst, "findings")
    assert [title.get("id") for title in findings.iter("h3")] == ["isolation-canary", "seq-contiguous"]
    first = next(findings.iter("details"))
    assert first.get("open") == "open"
    assert words(first.find("summary")).startswith(
        "isolation-canary-1: u17 (connection 18) and u23: another user's canary"
    )
    assert [words(item) for item in first.iter("li")] == [
        "useru17",
        "connection18",
        "other useru23",
        "runr-7f3a",
        "second1.700000",
    ]


def test_the_guilty_event_is_marked(make: Make, gap: Gap) -> None:
    (table,) = section(make(gap()), "findings").iter("table")
    assert [row[0] for row in rows(table)] == ["", "", "guilty", ""]
    assert rows(table)[2] == ["guilty", "1.500000", "tool_executing", "5", "19", "388", "call-1"]
    assert [row.get("class") for row in table.iter("tr")] == [None, None, "fail", None]


def test_few_findings_are_shown_and_the_others_counted(worst: Report) -> None:
    findings = section(worst, "findings")
    assert len(list(findings.iter("details"))) == 1 + MOST_FINDINGS
    assert "15 more with witnesses in report.json; 20 more were only counted" in words(findings)


def test_a_finding_without_witnesses(make: Make) -> None:
    finding = Finding(Rule.ISOLATION_ENVELOPE, "one run id at two users", "u1", 0, 0, run="r-1", other="u2")
    (details,) = section(make(finding), "findings").iter("details")
    assert not list(details.iter("table"))


def test_faults_environment_plan_and_command(worst: Report) -> None:
    assert words(section(worst, "faults")).endswith("drop-event:0.01: 12 times")
    assert words(section(worst, "control")).endswith(
        "swap, partial (seq 8) of r-swap: caught by seq-contiguous"
    )
    environment = section(worst, "environment")
    told = dict(rows(environment))
    assert told["revision"] == "3f2a1c9"
    assert told["locust"] == "2.47"
    assert told["users"] == "100"
    assert "command" not in told
    assert words(environment.find("pre")) == "streamgauge run steady"
    assert "Recording: results/x/worker-0.sgr" in words(page(worst).find("body/footer"))
