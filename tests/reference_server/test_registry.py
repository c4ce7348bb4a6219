from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reference_server.clock import Clock
from reference_server.registry import AgentRegistry, UnknownAgentError
from reference_server.scripted import ScriptedAgent
from reference_server.tools import ToolDispatcher

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


def test_agents_are_found_by_name() -> None:
    registry = AgentRegistry(ToolDispatcher(), Clock(), 1.0)
    agent = ScriptedAgent()
    registry.register("scripted", agent)
    assert registry.get("scripted") is agent
    with pytest.raises(UnknownAgentError, match="there are: scripted"):
        registry.get("other")
    with pytest.raises(ValueError, match="choose another name"):
        registry.register("scripted", agent)


def test_the_websocket_manager_wires_the_tools(kit: Kit) -> None:
    dispatcher = ToolDispatcher()
    registry = AgentRegistry(dispatcher, Clock(), 1.0)
    with pytest.raises(RuntimeError):
        _ = dispatcher.engine
    registry.set_websocket_manager(kit.Stage({}).bridge)
    assert dispatcher.engine is not None
