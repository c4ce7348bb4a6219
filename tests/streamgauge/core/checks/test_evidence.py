import pytest
from msgspec.structs import replace

from streamgauge.core.checks.evidence import of_row, of_run, witness_of
from streamgauge.core.checks.judge import judge
from streamgauge.core.checks.problem import Problem
from streamgauge.core.contract import Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.finding import Finding, Witness
from streamgauge.core.history import History
from streamgauge.core.observation import Malformed
from tests.support.history import (
    LIMITS,
    SECOND,
    completed,
    ended,
    failed,
    heard,
    idea,
    part,
    run,
    started,
    thought,
    tool,
    wait,
    whole,
)

R = Rule


def test_a_message_that_is_none_is_its_own_witness() -> None:
    torn = Malformed(3, 70, 99, "no JSON")
    assert of_row(R.PROTOCOL, "no JSON", "ann", torn) == Finding(
        R.PROTOCOL,
        "no JSON",
        user="ann",
        conn=3,
        at_ns=70,
        witnesses=(Witness(70, "malformed", size=99, detail="no JSON", guilty=True),),
    )
    assert of_row(R.ISOLATION_CANARY, "leak", "ann", torn, token="t").token == "t"


def test_so_is_any_other_with_its_run_and_the_other_user() -> None:
    row = replace(heard(Event(Kind.WORK, run="r1", request="q1", seq=4, offset=7), conn=3), at_ns=70)
    witness = Witness(70, "work", "r1", 4, 7, 100, guilty=True)
    alone = Finding(R.ECHO, "odd", "ann", 3, 70, "r1", "q1", witnesses=(witness,))
    assert of_row(R.ECHO, "odd", "ann", row) == alone
    assert of_row(R.ECHO, "odd", "ann", row, other="ben", token="t") == replace(alone, other="ben", token="t")


@pytest.mark.parametrize(
    ("guilty", "shown"),
    [
        ((0,), [1, 2, 3]),
        ((1,), [1, 2, 3, 4]),
        ((4,), [3, 4, 5, 6, 7]),
        ((9,), [8, 9, 10]),
        ((4, 6, 9), [3, 4, 5, 6, 7]),
    ],
)
def test_a_run_shows_two_events_on_each_side_of_the_first_guilty_one(
    guilty: tuple[int, ...], shown: list[int]
) -> None:
    history = run(*whole())
    finding = of_run(Problem(R.TOOL_PAIRING, "odd", guilty), history)
    assert [witness.seq for witness in finding.witnesses] == shown
    assert {witness.seq - 1 for witness in finding.witnesses if witness.guilty} == set(guilty) & set(
        range(shown[0] - 1, shown[-1])
    )
    assert finding.at_ns == history.events[guilty[0]].at_ns


def test_where_none_of_them_is_guilty_the_request_is_before_the_last_ones() -> None:
    finding = of_run(Problem(R.COMPLETE, "odd"), run(*whole()))
    shown = [(witness.kind, witness.seq, witness.guilty) for witness in finding.witnesses]
    assert shown == [
        *(("asked", 0, True), ("partial", 8, False)),
        *(("thinking", 9, False), ("completed", 10, False)),
    ]


def test_a_run_of_which_nothing_came_is_dated_by_its_request() -> None:
    history = run()
    history.asked = replace(history.asked, at_ns=5)
    asked = Witness(5, "asked", "r1", detail="connection 1, q1", guilty=True)
    assert of_run(Problem(R.COMPLETE, "never began"), history) == Finding(
        R.COMPLETE, "never began", user="ann", conn=1, at_ns=5, run="r1", request="q1", witnesses=(asked,)
    )


def silence(history: History) -> list[tuple[str, int, bool]]:
    """What is shown of the longest silence of a run, which begins with what comes first."""
    (problem,) = (problem for problem in judge(history, LIMITS).problems if problem.rule is R.NO_SILENCE)
    finding = of_run(problem, history)
    assert finding.at_ns - finding.lasted_ns == finding.witnesses[0].at_ns
    return [(witness.kind, witness.seq, witness.guilty) for witness in finding.witnesses]


def test_a_silence_is_shown_from_the_request_on() -> None:
    assert silence(run(wait(11), started(), thought(1), thought(2), failed())) == [
        *(("asked", 0, False), ("started", 1, True)),
        *(("thinking", 2, False), ("thinking", 3, False)),
    ]


def test_a_silence_is_shown_from_the_event_before_it_on() -> None:
    assert silence(run(started(), wait(11), thought(1), failed())) == [
        *(("started", 1, False), ("thinking", 2, True), ("failed", 3, False)),
    ]


def test_a_silence_that_repeats_fill_is_shown_from_where_it_begins() -> None:
    history = run(started(), wait(11), thought(1), failed())
    first, second, *rest = history.events
    again = [replace(first, at_ns=n * SECOND) for n in (2, 4, 6)]
    history.events = [first, *again, second, *rest]
    assert silence(history) == [
        *(("started", 1, False), ("started", 1, False), ("started", 1, False)),
        *(("thinking", 2, True), ("failed", 3, False)),
    ]


@pytest.mark.parametrize(
    ("event", "kind", "detail"),
    [
        (started(), "started", ""),
        (thought(2), "thinking", "pipeline step 2"),
        (idea(), "thinking", "agent step -"),
        (idea(3), "thinking", "agent step 3"),
        (tool("c"), "tool_executing", "c"),
        (ended("c", "error"), "tool_completed", "c error"),
        (part(0, 7), "partial", "index 0, 7 B"),
        (part(-1, 7), "partial", "7 B"),  # a protocol without indices
        (failed("busy"), "failed", "busy"),
        (completed(), "completed", ""),
    ],
)
def test_an_event_is_shown_without_its_text(event: Event, kind: str, detail: str) -> None:
    row = replace(heard(event), at_ns=9, kernel_ns=8)
    assert witness_of(row) == Witness(8, kind, size=100, detail=detail)
    assert witness_of(row, guilty=True).guilty
