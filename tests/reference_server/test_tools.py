from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from reference_server.agent import AgentResult
from reference_server.tools import Tool, ToolDispatcher, ToolError, ToolOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_server.agent import AgentTask
    from tests.reference_server.conftest import Kit, Message


async def echo(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"got": parameters["n"], "password": "p"}


async def raising(_: Mapping[str, Any]) -> Mapping[str, Any]:
    raise ValueError("internal detail")


async def refusing(_: Mapping[str, Any]) -> Mapping[str, Any]:
    raise ToolError({"error": "no rows", "secret": "s"})


async def endless(_: Mapping[str, Any]) -> Mapping[str, Any]:
    await asyncio.sleep(60)
    return {}


async def unspeakable(_: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"x": object()}


def call(kit: Kit, function: Any, tool_timeout_s: float = 5.0) -> tuple[ToolOutcome, list[Message]]:
    """One call by an agent: what the agent got, and the events of the tool."""
    outcomes: list[ToolOutcome] = []

    async def agent(task: AgentTask) -> AgentResult:
        outcomes.append(await task.call_tool(Tool("tool", function), {"n": 1, "api_key": "k"}))
        return AgentResult("done")

    stage = kit.Stage({"agent": kit.FunctionAgent(agent)}, tool_timeout_s=tool_timeout_s)
    events = kit.go(stage.play())
    return outcomes[0], [event for event in events if event["type"].startswith("tool_")]


def test_a_call_is_told_before_and_after_without_its_secrets(kit: Kit) -> None:
    outcome, (before, after) = call(kit, echo)
    assert outcome == ToolOutcome("success", {"got": 1, "password": "p"})
    assert before["payload"]["parameters"] == {"n": 1, "api_key": "[redacted]"}
    assert before["payload"]["redacted"] == ["/api_key"]
    assert after["payload"]["result"] == {"got": 1, "password": "[redacted]"}
    assert after["payload"]["redacted"] == ["/password"]
    assert (after["payload"]["status"], after["payload"]["tool_name"]) == ("success", "tool")
    assert before["payload"]["tool_call_id"] == after["payload"]["tool_call_id"]
    assert after["payload"]["execution_time_ms"] >= 0


@pytest.mark.parametrize(
    ("function", "status", "result"),
    [
        (raising, "error", {"error": "ValueError"}),
        (refusing, "error", {"error": "no rows", "secret": "[redacted]"}),
        (endless, "timeout", {"error": "timeout"}),
        (unspeakable, "error", {"error": "TypeError"}),
    ],
)
def test_a_call_is_completed_however_it_ends(kit: Kit, function: Any, status: str, result: Any) -> None:
    outcome, (_, after) = call(kit, function, tool_timeout_s=0.02)
    assert outcome.status == after["payload"]["status"] == status
    assert after["payload"]["result"] == result


def test_a_call_that_its_agent_gives_up_is_completed_at_once(kit: Kit) -> None:
    async def agent(task: AgentTask) -> AgentResult:
        try:
            async with asyncio.timeout(0.01):
                await task.call_tool(Tool("tool", endless), {})
        except TimeoutError:
            task.emit_thinking("going on without it")
        return AgentResult("done")

    events = kit.go(kit.Stage({"agent": kit.FunctionAgent(agent)}).play())
    assert kit.kinds(events)[3:6] == ["tool", "done:cancelled", "A"]


def test_a_call_left_open_is_completed_before_the_last_thought(kit: Kit) -> None:
    async def agent(task: AgentTask) -> AgentResult:
        left = asyncio.ensure_future(task.call_tool(Tool("tool", endless), {}))
        await asyncio.sleep(0.01)
        loop = asyncio.get_running_loop()
        loop.call_later(0.01, left.cancel)
        return AgentResult("done")

    async def work() -> list[Message]:
        events = await kit.Stage({"agent": kit.FunctionAgent(agent)}).play()
        await asyncio.sleep(0.05)
        return events

    assert kit.kinds(kit.go(work()))[3:] == ["tool", "done:cancelled", "P3", "completed"]


def test_no_call_begins_after_the_agent_has_ended(kit: Kit) -> None:
    kept: list[AgentTask] = []

    async def agent(task: AgentTask) -> AgentResult:
        kept.append(task)
        return AgentResult("done")

    async def work() -> None:
        await kit.Stage({"agent": kit.FunctionAgent(agent)}).play()
        with pytest.raises(RuntimeError, match="has ended"):
            await kept[0].call_tool(Tool("tool", echo), {"n": 1})

    kit.go(work())


def test_call_ids_are_unique_across_runs(kit: Kit) -> None:
    async def agent(task: AgentTask) -> AgentResult:
        await asyncio.gather(*(task.call_tool(Tool("tool", echo), {"n": n}) for n in range(3)))
        return AgentResult("done")

    async def work() -> list[Message]:
        stage = kit.Stage({"agent": kit.FunctionAgent(agent)})
        session = stage.session()
        for run_id in ("r1", "r2"):
            await stage.core.execute(stage.open(session, run_id))
        return kit.events_of(session)

    ids = [e["payload"]["tool_call_id"] for e in kit.go(work()) if e["type"] == "tool_executing"]
    assert len(set(ids)) == 6


def test_without_an_engine_no_tool_runs() -> None:
    with pytest.raises(RuntimeError, match="set_websocket_manager"):
        _ = ToolDispatcher().engine
