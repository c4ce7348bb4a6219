"""The pre-release assessment: several looks at one target, one decision."""

from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree as ET

from msgspec import Struct

from streamgauge.core.finding import Outcome, worst

# Each look's part of the time; the rest is what opening, draining and reporting take.
PARTS: Final = {"steady": 0.35, "isolation": 0.25, "burst": 0.15, "interrupt": 0.15, "overhead": 0.10}
_LOOK_S: Final = 4.0  # what a look takes besides its load: a server, a ramp, a drain, a report
_LEAST_S: Final = 4.0
_LEAST_OF_OVERHEAD_S: Final = 10.0  # six whole blocks, also on a busy machine

_DECISION: Final = {
    Outcome.PASS: "GO",
    Outcome.FAIL: "NO-GO",
    Outcome.UNKNOWN: "NO-GO, for it is not known",
}


class Look(Struct, frozen=True):
    """One look at the target: what came of it, in one line, and where the whole of it lies.

    A look that the target does not allow has no outcome, and counts for nothing.
    """

    name: str
    outcome: Outcome | None
    verdict: str
    folder: str = ""


def seconds_for(look: str, time_s: float) -> float:
    """How long a look's load may take where the whole assessment has `time_s`."""
    least = _LEAST_OF_OVERHEAD_S if look == "overhead" else _LEAST_S
    return max(least, (time_s - _LOOK_S * (len(PARTS) + 1)) * PARTS[look])


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
    outcome = decide(looks)
    why = "; ".join(f"{look.name}: {look.verdict}" for look in looks if look.outcome is outcome)
    left = sum(look.outcome is None for look in looks)
    passed = f"all {len(looks) - left} looks passed" + f", {left} not allowed" * bool(left)
    return f"{_DECISION[outcome]}  {passed if outcome is Outcome.PASS else why}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def merge_junit(parts: Sequence[tuple[str, bytes]]) -> bytes:
    """One JUnit document of several; the suites' names begin with their look's."""
    root = ET.Element("testsuites")
    for name, data in parts:
        for suite in ET.fromstring(data).iter("testsuite"):  # noqa: S314 - our own files
            suite.set("name", f"{name}: {suite.get('name', '')}")
            root.append(suite)
    merged: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return merged
