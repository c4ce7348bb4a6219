import pytest

from streamgauge.core.event import LAST_RUN_EVENT, TERMINAL, Kind

RUN_EVENTS = {
    Kind.WORK,
    Kind.STARTED,
    Kind.THINKING,
    Kind.TOOL_EXECUTING,
    Kind.TOOL_COMPLETED,
    Kind.PARTIAL,
    Kind.COMPLETED,
    Kind.FAILED,
}


@pytest.mark.parametrize("kind", Kind)
def test_the_contract_of_a_run_speaks_about_eight_kinds(kind: Kind) -> None:
    assert (kind <= LAST_RUN_EVENT) is (kind in RUN_EVENTS)


def test_terminal_events_are_events_of_a_run() -> None:
    assert {Kind.COMPLETED, Kind.FAILED} == TERMINAL < RUN_EVENTS
    assert max(RUN_EVENTS) == LAST_RUN_EVENT
