"""A report as JUnit XML: one test case a rule, a share, a threshold and a doubt."""

from collections.abc import Iterable
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from streamgauge.core.attack import Attacked
from streamgauge.core.campaign import problem
from streamgauge.core.finding import Doubt, Outcome, Verdict
from streamgauge.core.threshold import Level, ThresholdResult
from streamgauge.report import tables, wording
from streamgauge.report.model import Report, ShareOf
from streamgauge.report.table import Table

MOST_TEXT: Final = 20_000  # characters of one failure
_MESSAGE: Final = 500


class _Case(NamedTuple):
    """One test case; `answer` is the element that says what it came to, "" for a pass."""

    name: str
    answer: str = ""
    message: str = ""
    text: str = ""


def render_junit(report: Report) -> bytes:
    """The report as CI systems read it: failures fail, what is unknown is an error.

    What was not judged and not required is skipped, as is a warning. Doubts have a suite of their
    own, so that a run whose verdict is void is not green.
    """
    of_runs = [verdict for verdict in report.verdicts if verdict.rule not in wording.ISOLATION]
    isolation = [verdict for verdict in report.verdicts if verdict.rule in wording.ISOLATION]
    suites = {
        "rules": [_rule(verdict, report) for verdict in of_runs],
        "isolation": [_rule(verdict, report) for verdict in isolation],
        "attacks": [_attack(attack) for attack in report.attack.attacks] if report.attack else [],
        "shares": [_share(part) for part in report.shares],
        "thresholds": [_threshold(result) for result in report.thresholds],
        "doubts": [_doubt(doubt) for doubt in report.doubts],
    }
    root = Element("testsuites", {"name": _name(report), **_totals(c for s in suites.values() for c in s)})
    for name, cases in suites.items():
        if cases:
            _suite(root, name, cases, report)
    indent(root)
    xml: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return xml + b"\n"


def _name(report: Report) -> str:
    # printable characters are all legal in XML
    return wording.visible(f"streamgauge {report.scenario}".rstrip())


def _totals(cases: Iterable[_Case]) -> dict[str, str]:
    answers = [case.answer for case in cases]
    return {
        "tests": str(len(answers)),
        "failures": str(answers.count("failure")),
        "errors": str(answers.count("error")),
        "skipped": str(answers.count("skipped")),
    }


def _suite(root: Element, name: str, cases: list[_Case], report: Report) -> None:
    suite = SubElement(
        root,
        "testsuite",
        {
            "name": name,
            **_totals(cases),
            "time": f"{report.duration_s:.3f}",
            "timestamp": wording.visible(report.environment.started),
        },
    )
    told = {
        "outcome": str(report.outcome),
        "verdict": wording.verdict(report, _MESSAGE),
        "revision": report.environment.revision,
        "cut short": "yes" if report.cut_short else "no",
    }
    properties = SubElement(suite, "properties")
    for key, value in told.items():
        SubElement(properties, "property", {"name": key, "value": wording.visible(value)})
    for case in cases:
        element = SubElement(
            suite,
            "testcase",
            {"classname": f"{_name(report)}.{name}", "name": wording.visible(case.name), "time": "0"},
        )
        if case.answer:
            message = wording.short(wording.visible(case.message), _MESSAGE)
            SubElement(element, case.answer, {"message": message}).text = case.text or None


def _rule(verdict: Verdict, report: Report) -> _Case:
    if verdict.outcome is Outcome.FAIL:
        return _Case(verdict.rule, "failure", wording.broken(verdict), _witnessed(verdict, report))
    if verdict.outcome is Outcome.PASS:
        return _Case(verdict.rule)
    return _Case(verdict.rule, "error" if verdict.required else "skipped", wording.unjudged(verdict))


def _witnessed(verdict: Verdict, report: Report) -> str:
    """Every finding that is kept, with its events, as far as they fit."""
    lines: list[str] = []
    for shown, found in enumerate(verdict.findings):
        block = [wording.visible(wording.identified(found)), *_events(tables.witnesses(found, report))]
        if found.theirs:
            said = wording.visible(wording.theirs(found))
            block += [f"  {said}", *_events(tables.theirs(found, report))]
        if sum(map(len, lines)) + sum(map(len, block)) > MOST_TEXT:
            return "\n".join([*lines, wording.more(verdict, shown)])
        lines += block
    return "\n".join(filter(None, [*lines, wording.more(verdict, len(verdict.findings))]))


def _events(table: Table) -> list[str]:
    head, rows, _ = table
    return [
        "  "
        + (row[0] or " ")
        + " "
        + ", ".join(
            f"{name} {wording.visible(cell)}" for name, cell in zip(head[1:], row[1:], strict=True) if cell
        )
        for row in rows
    ]


def _attack(of: Attacked) -> _Case:
    if of.outcome is Outcome.PASS:
        return _Case(of.name)
    if of.outcome is None:
        return _Case(of.name, "skipped", f"not exercised: {of.said}")
    answer = "failure" if of.outcome is Outcome.FAIL else "error"
    return _Case(of.name, answer, problem(of), f"sent: {of.sent}")


def _share(part: ShareOf) -> _Case:
    answer = {Outcome.PASS: "", Outcome.FAIL: "failure", Outcome.UNKNOWN: "error"}[part.outcome]
    return _Case(part.name, answer, wording.incomplete(part) if answer else "")


def _threshold(result: ThresholdResult) -> _Case:
    if result.outcome is Outcome.PASS:
        return _Case(result.threshold.text)
    answer = "failure" if result.outcome is Outcome.FAIL else "error"
    if result.threshold.level is Level.WARN:
        answer = "skipped"  # JUnit knows no warnings
    return _Case(result.threshold.text, answer, wording.threshold(result))


def _doubt(doubt: Doubt) -> _Case:
    answer = "error" if doubt.voids == "verdict" else "skipped"
    return _Case(doubt.name, answer, wording.advised(doubt))
