import pytest

from streamgauge.core.checks.problem import Problem
from streamgauge.core.checks.tools import tool_pairing
from streamgauge.core.contract import Rule
from streamgauge.core.event import Event
from tests.support.history import completed, ended, failed, idea, thought, tool


@pytest.mark.parametrize(
    "events",
    [
        [],
        [thought(1), completed()],
        [tool("a"), ended("a"), completed()],
        [tool("a"), idea(), tool("b"), ended("a"), ended("b"), completed()],  # parallel
        [tool("a"), tool("b"), ended("b"), ended("a"), failed()],  # nested
        [tool("a"), ended("a", "cancelled"), failed("cancelled")],
        [tool("a"), ended("a", "timeout"), failed("timeout")],
        [tool("a"), tool("b"), ended("a"), failed("run_lost")],
        [tool("a")],  # not at its end yet
        [completed(), ended("a")],  # what comes after the end breaks another rule
    ],
)
def test_tools_may_run_like_this(events: list[Event]) -> None:
    assert tool_pairing(events) is None


@pytest.mark.parametrize(
    ("events", "text", "places"),
    [
        (
            [ended("a"), tool("a"), completed()],
            "tool completed that was not running, tool never completed",
            (0, 1),
        ),
        ([tool("a"), completed()], "tool never completed", (0,)),
        ([tool("a"), failed("cancelled")], "tool never completed", (0,)),
        ([tool("a"), failed("timeout")], "tool never completed", (0,)),
        ([tool("a"), tool("b"), ended("b"), completed()], "tool never completed", (0,)),
        (
            [tool("a"), ended("b"), completed()],
            "tool completed that was not running, tool never completed",
            (1, 0),
        ),
        ([tool("a"), ended("a"), ended("a"), completed()], "tool completed that was not running", (2,)),
        ([tool("a"), tool("a"), ended("a"), completed()], "tool begun twice", (1,)),
        ([ended("a")], "tool completed that was not running", (0,)),
        ([ended("a"), failed("run_lost")], "tool completed that was not running", (0,)),
    ],
)
def test_tools_may_not_run_like_this(events: list[Event], text: str, places: tuple[int, ...]) -> None:
    assert tool_pairing(events) == Problem(Rule.TOOL_PAIRING, text, places)
