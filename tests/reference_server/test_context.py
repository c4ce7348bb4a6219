from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reference_server.context import AgentRequest

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


@pytest.mark.parametrize("field", ["user_id", "thread_id", "run_id", "request_id", "connection_id"])
def test_a_run_cannot_become_anothers(kit: Kit, field: str) -> None:
    with pytest.raises(AttributeError):
        setattr(kit.context_of(), field, "other")


def test_a_sentence_carries_the_request_and_what_may_be_shown_of_its_context() -> None:
    request = AgentRequest(agent_name="a", text="hello", shown={"c": 1}, shown_text='{"c":1}')
    assert request.about("Thinking") == 'Thinking: hello {"c":1}'
