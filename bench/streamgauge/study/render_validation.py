"""One run of one user in words: each event, and what it means to who looks at the screen."""

from collections.abc import Iterator
from typing import Final

from streamgauge.core.event import Kind
from streamgauge.core.finding import Outcome
from streamgauge.report import wording
from streamgauge.study.validation import Validation

_MEANS: Final = {
    Kind.STARTED: "the user sees that the agent took up the request",
    Kind.THINKING: "the user sees what it is about, and that it is alive",
    Kind.TOOL_EXECUTING: "the user sees which tool is at work",
    Kind.TOOL_COMPLETED: "the user sees that the tool is done",
    Kind.PARTIAL: "the user reads the answer as it grows",
    Kind.COMPLETED: "the user has the answer",
    Kind.FAILED: "the user learns that there will be none",
}


def render_validation(of: Validation) -> str:
    """The events, the steps, what is broken, and the verdict last."""
    return "\n".join([*_lines(of), ""])


def _lines(of: Validation) -> Iterator[str]:
    for event in of.events:
        came = f"PRESENT ×{event.times}" if event.times else "MISSING" if event.expected else "-"
        yield f"{event.kind.name.lower():16}{came:14}{_MEANS[event.kind]}"
    yield ""
    yield f"thinking steps of the pipeline, in order: {', '.join(map(str, of.steps)) or 'none'}"
    if of.refusal:
        yield f"the server refused the request: {of.refusal}"
    for verdict in of.verdicts:
        for finding in verdict.findings:
            yield f"{verdict.rule}: {wording.finding(finding)}"
    yield ""
    missing = [event.kind.name.lower() for event in of.events if event.expected and not event.times]
    broken = [str(verdict.rule) for verdict in of.verdicts if verdict.outcome is Outcome.FAIL]
    refused = f"refused: {of.refusal}" * bool(of.refusal)
    why = "; ".join(
        filter(None, (refused, f"missing {', '.join(missing)}" * bool(missing), ", ".join(broken)))
    )
    yield "PASS  every expected event came, and no rule was broken" if not why else f"FAIL  {why}"
