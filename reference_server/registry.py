"""Agents by name, and the wiring of their tools to the bridge."""

from reference_server.agent import Agent
from reference_server.bridge import AgentWebSocketBridge
from reference_server.clock import Clock
from reference_server.tools import ToolDispatcher, UnifiedToolExecutionEngine


class UnknownAgentError(LookupError):
    """No agent of this name."""


class AgentRegistry:
    """Knows the agents; one object of each serves all users."""

    def __init__(self, dispatcher: ToolDispatcher, clock: Clock, tool_timeout_s: float) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._tool_timeout_s = tool_timeout_s
        self._agents: dict[str, Agent] = {}

    def register(self, name: str, agent: Agent) -> None:
        """Add an agent. Raises `ValueError` where the name is taken."""
        if name in self._agents:
            raise ValueError(f"an agent named {name!r} is registered already: choose another name")
        self._agents[name] = agent

    def get(self, name: str) -> Agent:
        """Find an agent. Raises `UnknownAgentError`."""
        try:
            return self._agents[name]
        except KeyError:
            raise UnknownAgentError(f"no agent of this name; there are: {', '.join(self._agents)}") from None

    def set_websocket_manager(self, bridge: AgentWebSocketBridge) -> None:
        """Wire the tool dispatcher: from now on every tool call of every agent tells `bridge` of itself."""
        self._dispatcher.use(UnifiedToolExecutionEngine(bridge, self._clock, self._tool_timeout_s))
