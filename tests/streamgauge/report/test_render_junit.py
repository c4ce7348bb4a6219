from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from streamgauge.core.contract import Rule
from streamgauge.core.finding import Doubt, Finding
from streamgauge.core.threshold import Level, Threshold, parse
from streamgauge.report.model import Fault, Report
from streamgauge.report.render_junit import MOST_TEXT, render_junit

Make = Callable[..., Report]
Gap = Callable[..., Finding]


def parsed(report: Report) -> ET.Element:
    """The document, its counts checked against what it holds."""
    root = ET.fromstring(render_junit(report))
    for element in (root, *root.findall("testsuite")):
        told = {name: int(element.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
        assert told == {
            "tests": len(element.findall(".//testcase")),
            "failures": len(element.findall(".//failure")),
            "errors": len(element.findall(".//error")),
            "skipped": len(element.findall(".//skipped")),
        }
    return root


def case(root: ET.Element, name: str) -> ET.Element:
    (found,) = [element for element in root.iter("testcase") if element.get("name") == name]
    return found


def answers(root: ET.Element) -> tuple[str, ...]:
    return tuple(root.attrib[name] for name in ("failures", "errors", "skipped"))


def test_a_clean_run_has_a_case_for_every_rule_and_share(make: Make) -> None:
    root = parsed(make())
    assert answers(root) == ("0", "0", "0")
    sizes = {suite.get("name"): len(suite.findall("testcase")) for suite in root}
    assert sizes == {"rules": len(Rule) - 2, "isolation": 2, "shares": 3}
    assert {c.get("name") for c in root.iter("testcase")} >= {*Rule, "delivery success"}


def test_findings_are_failures_with_witnesses(make: Make, gap: Gap, leak: Finding) -> None:
    root = parsed(make(gap(), leak, counts={"runs with thinking": 3}))
    assert answers(root) == ("3", "0", "0")
    failure = case(root, "seq-contiguous").find("failure")
    assert failure is not None
    assert failure.get("message", "").startswith("seq-contiguous: 1 finding in 1,000 runs")
    assert "  > second 1.500000, kind tool_executing, seq 5" in (failure.text or "")
    assert case(root, "runs with thinking").find("failure") is not None
    assert b"sgcanary" not in render_junit(make(leak))
    assert b"u23" in render_junit(make(leak))


def test_a_required_rule_not_exercised_is_an_error(make: Make) -> None:
    root = parsed(make(exercised={Rule.TOOL_PAIRING: 0}))
    error = case(root, "tool-pairing").find("error")
    assert error is not None
    assert error.get("message") == "tool-pairing: required, and not exercised"


def test_another_rule_not_exercised_is_skipped(make: Make) -> None:
    root = parsed(make(exercised={Rule.TOOL_PAIRING: 0}, required=[Rule.ECHO]))
    skipped = case(root, "tool-pairing").find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "tool-pairing: not required, and not exercised"
    assert answers(root) == ("0", "0", "1")


def test_nothing_exercised_is_all_errors(make: Make) -> None:
    assert answers(parsed(make(runs=0))) == ("0", str(len(Rule) + 3), "0")


def test_a_run_whose_verdict_is_void_is_not_green(make: Make, dead: Doubt, lagging: Doubt) -> None:
    root = parsed(make(doubts=[dead, lagging]))
    assert answers(root) == ("0", "1", "1")
    error = case(root, "worker 3 sent no state").find("error")
    assert error is not None
    assert "look into its log" in error.get("message", "")
    assert case(root, "generator lag p99").find("skipped") is not None


def test_what_the_suite_says_of_the_run(make: Make) -> None:
    suite = parsed(make(cut_short=True))[0]
    told = {element.get("name"): element.get("value") for element in suite.iter("property")}
    assert told["outcome"] == "pass"
    assert told["cut short"] == "yes"
    assert suite.get("time") == "4.000"
    assert suite.get("timestamp") == "2026-11-22T10:00:00Z"


@pytest.mark.parametrize(
    "hostile", ["<script>&\"'", "]]>", "\x00\x1b[31m\x0b", "\ufffe\uffff", "\ud800", "a\nb"]
)
def test_odd_characters_keep_it_valid(make: Make, gap: Gap, hostile: str) -> None:
    report = make(
        gap(run=f"r{hostile}", user=hostile, detail=hostile),
        doubts=[Doubt(hostile, hostile, hostile, hostile, "verdict")],
        faults=[Fault(hostile, 1)],
        plan={"scenario": hostile},
    )
    root = parsed(report)
    assert answers(root) == ("1", "1", "0")
    failure = case(root, "seq-contiguous").find("failure")
    assert failure is not None
    assert len((failure.text or "").splitlines()) == 4


def test_failures_are_bounded_and_say_what_they_lack(make: Make, gap: Gap) -> None:
    root = parsed(make(*(gap(f"r-{n}{'x' * 300}", detail="y" * 300) for n in range(50))))
    texts = [failure.text or "" for failure in root.iter("failure")]
    assert texts[0].endswith("30 more were only counted")
    wide = [Finding(Rule.ECHO, f"{n} {'z' * 9_000}", "u", 1, n, request="q" * 999) for n in range(20)]
    (text,) = [f.text or "" for f in parsed(make(*wide)).iter("failure")]
    assert len(text) < MOST_TEXT


def test_findings_that_do_not_fit_are_counted(make: Make, gap: Gap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamgauge.report.render_junit.MOST_TEXT", 700)
    (failure,) = parsed(make(*(gap(f"r-{n}") for n in range(50)))).iter("failure")
    assert len(failure.text or "") < 900
    assert "more with witnesses in report.json; 30 more were only counted" in (failure.text or "")


def test_every_threshold_is_a_case(make: Make, demanded: tuple[Threshold, ...]) -> None:
    root = parsed(make(thresholds=demanded))
    assert answers(root) == ("1", "1", "2")  # that its samples are too few is a doubt too
    suite = next(suite for suite in root if suite.get("name") == "thresholds")
    told = {c.get("name"): [answer.tag for answer in c] for c in suite.iter("testcase")}
    assert told == {
        "p99(delivery) < 50ms": [],
        "p50(run) < 1ms": ["failure"],
        "p99.9(run) < 1s": ["error"],
        "max(lag) < 1us": ["skipped"],  # it only warns
        "rate(leaks) == 0": [],
    }
    failure = case(root, "p50(run) < 1ms").find("failure")
    assert failure is not None
    assert failure.get("message") == "p50(run) < 1ms: 1.50 ms (1.47 ms – 1.53 ms), n = 1,000"


def test_a_warning_that_is_unknown_is_skipped(make: Make) -> None:
    root = parsed(make(thresholds=[parse("p99.9(run) < 1s", Level.WARN)]))
    assert answers(root) == ("0", "0", "2")  # and the doubt that says so


def test_a_rule_that_is_not_promised_is_skipped(make: Make) -> None:
    report = make(promises=frozenset(Rule) - {Rule.ISOLATION_ENVELOPE})
    answers = [
        (answer.tag, answer.get("message"))
        for case in ET.fromstring(render_junit(report)).iter("testcase")
        for answer in case
    ]
    assert answers == [("skipped", "isolation-envelope: not promised by the protocol")]
