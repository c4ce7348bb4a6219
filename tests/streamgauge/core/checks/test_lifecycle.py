import pytest

from streamgauge.core.checks.lifecycle import lifecycle
from streamgauge.core.checks.problem import Problem
from streamgauge.core.contract import Rule
from streamgauge.core.event import Event
from tests.support.history import completed, ended, failed, idea, part, started, thought, tool, whole

BEGUN = (started(), thought(1), thought(2))


@pytest.mark.parametrize(
    "events",
    [
        [],
        [*whole()],
        [*BEGUN, thought(3), completed()],
        [*BEGUN, idea(1), tool("c"), idea(), ended("c"), part(0), idea(3), thought(3), completed()],
        [failed()],
        [started(), failed()],
        [started(), thought(1), failed()],
        [*BEGUN, failed()],
        [*BEGUN, tool("c"), failed("run_lost")],
        [*BEGUN, thought(3), failed()],
        [*BEGUN, tool("c")],  # as far as it came
    ],
)
def test_a_run_may_go_like_this(events: list[Event]) -> None:
    assert lifecycle(events) == []


@pytest.mark.parametrize(
    ("events", "rule", "text", "places"),
    [
        (
            [thought(1), thought(2), thought(3), completed()],
            Rule.STARTED_FIRST,
            "no start before it",
            (0,),
        ),
        ([tool("c"), ended("c")], Rule.STARTED_FIRST, "no start before it", (0,)),
        ([completed()], Rule.STARTED_FIRST, "no start before it", (0,)),
        ([started(), *BEGUN], Rule.STARTED_FIRST, "started twice or late", (1,)),
        ([*BEGUN, started(), failed()], Rule.STARTED_FIRST, "started twice or late", (3,)),
        (
            [thought(1), started(), thought(2)],
            Rule.STARTED_FIRST,
            "no start before it, started twice or late",
            (0, 1),
        ),
        ([started(), thought(2), thought(3), completed()], Rule.THINKING_PRESENT, "step 1 missing", (1,)),
        ([started(), thought(1), tool("c")], Rule.THINKING_PRESENT, "step 2 missing", (2,)),
        ([started(), thought(1), part(0)], Rule.THINKING_PRESENT, "step 2 missing", (2,)),
        ([started(), thought(1), idea(2)], Rule.THINKING_PRESENT, "step 2 missing", (2,)),
        ([started(), idea(1)], Rule.THINKING_PRESENT, "steps 1 and 2 missing", (1,)),
        ([started(), thought(3)], Rule.THINKING_PRESENT, "steps 1 and 2 missing", (1,)),
        ([started(), thought(1), thought(3)], Rule.THINKING_PRESENT, "step 2 missing", (2,)),
        ([started(), thought(1), completed()], Rule.THINKING_PRESENT, "steps 2 and 3 missing", (2,)),
        ([*BEGUN, thought(3), thought(1)], Rule.THINKING_PRESENT, "step 1 after step 3", (4,)),
        ([*BEGUN, thought(3), thought(2)], Rule.THINKING_PRESENT, "step 2 after step 3", (4,)),
        ([started(), completed()], Rule.THINKING_PRESENT, "steps 1, 2 and 3 missing", (1,)),
        (
            [started(), tool("c"), completed()],
            Rule.THINKING_PRESENT,
            "steps 1 and 2 missing, step 3 missing",
            (1, 2),
        ),
        ([*BEGUN, part(0), completed()], Rule.THINKING_PRESENT, "step 3 missing", (4,)),
        ([*BEGUN, thought(3), part(0), completed()], Rule.THINKING_PRESENT, "work after step 3", (4,)),
        ([*BEGUN, thought(3), tool("c"), ended("c")], Rule.THINKING_PRESENT, "work after step 3", (4, 5)),
        ([started(), thought(1), thought(1)], Rule.THINKING_PRESENT, "step 1 twice", (2,)),
        ([*BEGUN, thought(2)], Rule.THINKING_PRESENT, "step 2 twice", (3,)),
        ([*BEGUN, thought(3), thought(3)], Rule.THINKING_PRESENT, "step 3 twice", (4,)),
        (
            [started(), thought(2), thought(1)],
            Rule.THINKING_PRESENT,
            "step 1 missing, step 1 after step 2",
            (1, 2),
        ),
        ([*whole(), failed()], Rule.TERMINAL_LAST, "agent error after the end", (10,)),
        ([*whole(), completed()], Rule.TERMINAL_LAST, "agent completed after the end", (10,)),
        ([failed(), started()], Rule.TERMINAL_LAST, "agent started after the end", (1,)),
        ([*BEGUN, failed(), thought(3)], Rule.TERMINAL_LAST, "pipeline step 3 after the end", (4,)),
    ],
)
def test_a_run_may_not_go_like_this(
    events: list[Event], rule: Rule, text: str, places: tuple[int, ...]
) -> None:
    assert lifecycle(events) == [Problem(rule, text, places)]


def test_two_causes_are_two_problems() -> None:
    events = [thought(1), thought(2), completed(), idea()]
    assert [problem.rule for problem in lifecycle(events)] == [
        Rule.STARTED_FIRST,
        Rule.THINKING_PRESENT,
        Rule.TERMINAL_LAST,
    ]
