from streamgauge.core.event import Event
from streamgauge.protocol.native import NATIVE
from streamgauge.study.render_validation import render_validation
from streamgauge.study.validation import FIVE, validate
from tests.support.history import LIMITS, completed, run, session, started, thought, whole


def lines(*events: Event) -> list[str]:
    return render_validation(validate(session(run(*events)), FIVE, LIMITS, NATIVE.promises)).splitlines()


def test_every_event_is_present_or_missing_and_explained() -> None:
    shown = lines(started(), thought(1), thought(2), thought(3), completed())
    assert shown[0] == "started         PRESENT ×1    the user sees that the agent took up the request"
    assert shown[1].startswith("thinking        PRESENT ×3 ")
    assert shown[2].startswith("tool_executing  MISSING ")
    assert shown[4].startswith("partial         - ")


def test_the_steps_stand_in_order_of_arrival() -> None:
    assert "thinking steps of the pipeline, in order: 1, 2, 3" in lines(*whole())
    assert "thinking steps of the pipeline, in order: none" in lines(started(), completed())


def test_the_verdict_is_the_last_line() -> None:
    assert lines(*whole())[-1] == "PASS  every expected event came, and no rule was broken"
    assert lines(started(), completed())[-1] == (
        "FAIL  missing thinking, tool_executing, tool_completed; thinking-present"
    )
