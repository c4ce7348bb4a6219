"""What one run of one user showed: which events came, and which did not."""

from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

from streamgauge.core.analysis import Analysis
from streamgauge.core.checks.verdicts import conclude
from streamgauge.core.contract import Limits, Rule
from streamgauge.core.event import Kind
from streamgauge.core.finding import Outcome, Verdict
from streamgauge.core.observation import Observation, Received
from streamgauge.persona import Persona
from streamgauge.script import Parallel, Step, Stream, Think, Tool, fails

# The five events that this project is about.
FIVE = (Kind.STARTED, Kind.THINKING, Kind.TOOL_EXECUTING, Kind.TOOL_COMPLETED, Kind.COMPLETED)


def unpromised(promises: Collection[Rule]) -> frozenset[Kind]:
    """The kinds of event that a server need not send, for its protocol does not promise them."""
    return frozenset() if Rule.THINKING_PRESENT in promises else frozenset({Kind.THINKING})


def expected(persona: Persona, promises: Collection[Rule], *, scripted: bool) -> frozenset[Kind]:
    """The events that a run of the persona must bring: what is promised, and what its script says.

    `scripted` tells that its agent plays the default script where the persona has none.
    """
    if fails(persona.script):
        return frozenset({Kind.STARTED, Kind.FAILED})
    kinds = {Kind.STARTED, Kind.THINKING, Kind.COMPLETED} - unpromised(promises)
    if persona.script:
        return frozenset(kinds | _made(persona.script))
    return frozenset(kinds | {*FIVE, Kind.PARTIAL} if scripted else kinds)


def _made(script: Iterable[Step]) -> frozenset[Kind]:
    """The kinds of event that the steps make."""
    kinds: set[Kind] = set()
    for step in script:
        match step:
            case Think():
                kinds.add(Kind.THINKING)
            case Tool():
                kinds |= {Kind.TOOL_EXECUTING, Kind.TOOL_COMPLETED}
            case Stream():
                kinds.add(Kind.PARTIAL)
            case Parallel(steps):
                kinds |= _made(steps)
    return frozenset(kinds)


class Presence(Struct, frozen=True):
    """One kind of event: how often it came, and whether it had to."""

    kind: Kind
    times: int
    expected: bool


class Validation(Struct, frozen=True):
    """One run, as its user saw it; `steps` are the pipeline's thoughts in order of arrival."""

    outcome: Outcome
    events: tuple[Presence, ...]
    steps: tuple[int, ...]
    verdicts: tuple[Verdict, ...]
    refusal: str = ""  # what the server answered instead of a run
    accounted: bool = False  # it told what the run took, as it does under measuring controls only


def validate(
    rows: Sequence[Observation], expected: Collection[Kind], limits: Limits, promises: Collection[Rule]
) -> Validation:
    """Judge the rows of one run: every expected event must have come, and no promised rule be broken."""
    analysis = Analysis(limits, "", rows[0].at_ns, promises)
    for row in rows:
        analysis.add(row)
    verdicts = conclude(analysis.finish(rows[-1].at_ns).checks, (), promises)
    events = [row.event for row in rows if isinstance(row, Received)]
    present = tuple(
        Presence(kind, sum(event.kind == kind for event in events), kind in expected)
        for kind in (*FIVE[:4], Kind.PARTIAL, Kind.COMPLETED, Kind.FAILED)
    )
    missing = any(each.expected and not each.times for each in present)
    broken = any(verdict.outcome is Outcome.FAIL for verdict in verdicts)
    return Validation(
        outcome=Outcome.FAIL if missing or broken else Outcome.PASS,
        events=present,
        steps=tuple(event.step for event in events if event.kind == Kind.THINKING and event.pipeline),
        verdicts=verdicts,
        accounted=any(event.kind == Kind.REPORT for event in events),
        refusal=next((event.status for event in events if event.kind == Kind.REFUSED), ""),
    )
