"""The recorded streams of AG-UI, and what is found in a stream."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from streamgauge.core.analysis import Analysis, AnalysisState
from streamgauge.core.checks.verdicts import conclude
from streamgauge.core.finding import Verdict
from streamgauge.core.observation import Asked, Closed, Opened, Received
from streamgauge.protocol import PROTOCOLS, Observer, Request
from streamgauge.protocol.dialect import Echo
from tests.support.history import CLOCK, LIMITS, PACE, SECOND, canary

AG_UI = PROTOCOLS["ag-ui"]
FRAMES = Path(__file__).parents[1] / "frames" / "ag-ui"
THREAD = "thread-A"
Message = dict[str, Any]


def recorded_websocket() -> list[Message]:
    lines = (FRAMES / "websocket.jsonl").read_text().splitlines()
    return [json.loads(json.loads(line)["data"]) for line in lines]


def recorded_sse() -> list[Message]:
    lines = (FRAMES / "sse.txt").read_text().splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


def said(kind: str, **fields: object) -> Message:
    return {"type": kind, **fields}


def began(run: str = "q1", thread: str = THREAD) -> Message:
    return said("RUN_STARTED", runId=run, threadId=thread)


def finished(run: str = "q1", thread: str = THREAD, **fields: object) -> Message:
    return said("RUN_FINISHED", runId=run, threadId=thread, **fields)


def erred(**fields: object) -> Message:
    return said("RUN_ERROR", message="oh", **fields)


class Ask(NamedTuple):
    """The user asks, in between."""

    request: str


def asking(request: str) -> tuple[Request, Echo]:
    """That request as a reader is told of it."""
    asked = Request("", request, THREAD, "", {})
    return asked, AG_UI.echo(asked)


class Found(NamedTuple):
    """What a stream came to."""

    findings: list[tuple[str, str, str]]  # rule, problem, run
    state: AnalysisState
    verdicts: dict[str, Verdict]


def judged(*stream: Message | Ask, request: str = "q1") -> Found:
    """A connection of one user who asks for `request` and hears the stream, an event every 10 ms."""
    observer = Observer(1, canary("ann"), AG_UI.reader(), 65_536)
    analysis = Analysis(LIMITS, CLOCK, 0, AG_UI.promises)
    analysis.add(Opened(1, 0, "ann", canary("ann"), 0))
    now = 0
    for item in (Ask(request), *stream):
        now += PACE
        if isinstance(item, Ask):
            analysis.add(Asked(1, now, item.request, THREAD, "", "", now, now + 15 * SECOND))
            observer.expect(*asking(item.request))
        else:
            analysis.add(observer.observe(json.dumps(item).encode(), now, 0, exact=False))
    now += 20 * SECOND
    analysis.add(Closed(1, now, 1000, ours=True))
    state = analysis.finish(now)
    verdicts = conclude(state.checks, (), AG_UI.promises)
    findings = [(f.rule.value, f.problem, f.run) for verdict in verdicts for f in verdict.findings]
    return Found(findings, state, {verdict.rule.value: verdict for verdict in verdicts})


def findings(*stream: Message | Ask) -> list[tuple[str, str]]:
    """The rules that the stream breaks, and how."""
    return [(rule, problem) for rule, problem, _ in judged(*stream).findings]


def events_of(*stream: Message, request: str = "q1") -> list[Received]:
    """The rows that such a stream becomes."""
    observer = Observer(1, canary("ann"), AG_UI.reader(), 65_536)
    observer.expect(*asking(request))
    rows = [observer.observe(json.dumps(item).encode(), 0, 0, exact=False) for item in stream]
    assert all(isinstance(row, Received) for row in rows)
    return [row for row in rows if isinstance(row, Received)]
