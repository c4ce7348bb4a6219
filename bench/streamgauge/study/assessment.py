"""The pre-release assessment: several looks at one target, one decision."""

from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree as ET

from msgspec import Struct

from streamgauge.core.finding import Outcome, worst
from streamgauge.report import wording

_DECISION: Final = {
    Outcome.PASS: "GO",
    Outcome.FAIL: "NO-GO",
    Outcome.UNKNOWN: "NO-GO, for it is not known",
}
_WHY: Final = 100  # characters of the reason in the decision; the look's line has the whole
_ANSWER: Final = {Outcome.PASS: "", Outcome.FAIL: "failure", Outcome.UNKNOWN: "error", None: "skipped"}
INTERRUPTED: Final = "interrupted before there was anything to judge"


class Look(Struct, frozen=True):
    """One look at the target: what came of it, in one line, and where the whole of it lies.

    A look that the target does not allow has no outcome, and counts for nothing.
    """

    name: str
    outcome: Outcome | None
    verdict: str
    folder: str = ""


def cut_short(look: Look) -> Look:
    """A look that was interrupted: what failed has failed, but nothing else is known."""
    outcome = Outcome.FAIL if look.outcome is Outcome.FAIL else Outcome.UNKNOWN
    return Look(look.name, outcome, f"interrupted: {look.verdict}", look.folder)


def decide(looks: Sequence[Look]) -> Outcome:
    """Go only where every look passed that was allowed; not to know is no go."""
    return worst([look.outcome for look in looks if look.outcome is not None])


def render_text(looks: Sequence[Look], folder: str) -> str:
    """A line a look, and the decision last."""
    width = max(len(look.name) for look in looks)
    lines = [f"{look.name:{width}}  {look.verdict}" for look in looks]
    return "\n".join([*lines, "", f"report  {folder}/report.md", _decision(looks), ""])


def render_markdown(looks: Sequence[Look]) -> str:
    """The same for a step summary."""
    rows = [
        f"| {look.name} | {look.outcome or 'not allowed'} | {_cell(look.verdict)} | {look.folder} |"
        for look in looks
    ]
    table = ["| look | outcome | verdict | folder |", "|---|---|---|---|", *rows]
    return "\n".join([f"# {_decision(looks)}", "", *table, ""])


def _decision(looks: Sequence[Look]) -> str:
    """The decision, and the reason of the first look that made it; the others are only named."""
    outcome = decide(looks)
    if outcome is Outcome.PASS:
        left = sum(look.outcome is None for look in looks)
        return f"GO  all {len(looks) - left} looks passed" + f", {left} not allowed" * bool(left)
    why = [look for look in looks if look.outcome is outcome]
    if not why:
        return f"{_DECISION[outcome]}  no look was allowed"
    others = f"; also {', '.join(look.name for look in why[1:])}" if len(why) > 1 else ""
    return f"{_DECISION[outcome]}  {why[0].name}: {wording.short(why[0].verdict, _WHY)}{others}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def merge_junit(looks: Sequence[tuple[Look, bytes]]) -> bytes:
    """One JUnit document of several; the suites' names begin with their look's.

    A look that left no document (b"") is a suite of its own, with itself as the one case; so is,
    beside its document, one that came to more than the document says: it was interrupted.
    """
    root = ET.Element("testsuites")
    for look, data in looks:
        suites = list(ET.fromstring(data).iter("testsuite")) if data else []  # noqa: S314 - our own files
        answer = _ANSWER[look.outcome]
        if not suites or (answer and not any(suite.find(f".//{answer}") is not None for suite in suites)):
            root.append(_suite(look))
        for suite in suites:
            suite.set("name", f"{look.name}: {suite.get('name', '')}")
            root.append(suite)
    merged: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return merged


def _suite(look: Look) -> ET.Element:
    answer = _ANSWER[look.outcome]
    counts = {
        f"{kind}{'s' * (kind != 'skipped')}": str(int(kind == answer)) for kind in _ANSWER.values() if kind
    }
    suite = ET.Element("testsuite", {"name": f"{look.name}: look", "tests": "1", **counts})
    case = ET.SubElement(
        suite, "testcase", {"classname": f"{look.name}.look", "name": look.name, "time": "0"}
    )
    if answer:
        ET.SubElement(case, answer, {"message": wording.visible(look.verdict)})
    return suite
