from __future__ import annotations

import asyncio
import contextlib
import hashlib
from typing import TYPE_CHECKING, Any, cast

import pytest

from reference_server import core as core_module
from reference_server.agent import AgentFailedError, AgentResult
from reference_server.tools import Tool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_server.agent import AgentTask
    from tests.reference_server.conftest import Kit, Message

BEGIN = ["start", "P1", "P2"]


async def endless_tool(_: Mapping[str, Any]) -> Mapping[str, Any]:
    await asyncio.sleep(60)
    return {}


async def answering(task: AgentTask) -> AgentResult:
    task.emit_thinking("hm", 7)
    return AgentResult("42", {"unit": "none", "password": "p"})


async def silent(_: AgentTask) -> None:
    return None


async def failing(_: AgentTask) -> AgentResult:
    raise ZeroDivisionError("internal detail")


async def giving_up(_: AgentTask) -> AgentResult:
    raise AgentFailedError("There is nothing to be done.")


async def garbling(_: AgentTask) -> AgentResult:
    return AgentResult("42", {"x": object()})


async def unspeakable(_: AgentTask) -> AgentResult:
    return AgentResult("\ud800")


async def cheating(_: AgentTask) -> AgentResult:
    return cast("AgentResult", "a bare string")


async def hanging(task: AgentTask) -> AgentResult:
    await task.call_tool(Tool("slow", endless_tool), {})
    return AgentResult("too late")


async def cancelling_itself(_: AgentTask) -> AgentResult:
    raise asyncio.CancelledError


async def stubborn(_: AgentTask) -> AgentResult:
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(60)
    return AgentResult("all the same")


def play(kit: Kit, function: Any, **stage: Any) -> list[Message]:
    return kit.go(kit.Stage({"agent": kit.FunctionAgent(function)}, **stage).play())


def test_a_good_run_is_the_pipeline_around_the_agents_own_work(kit: Kit) -> None:
    events = play(kit, answering)
    assert kit.kinds(events) == [*BEGIN, "A", "P3", "completed"]
    thoughts = [event["payload"] for event in events if event["type"] == "agent_thinking"]
    assert [(thought["step_number"], thought["source"]) for thought in thoughts] == [
        (1, "pipeline"),
        (2, "pipeline"),
        (7, "agent"),
        (3, "pipeline"),
    ]
    assert [thought["progress_percentage"] for thought in thoughts] == [10, 25, None, 90]
    completed = events[-1]["payload"]
    assert completed["result"] == {"answer": "42", "unit": "none", "password": "[redacted]"}
    assert completed["answer_sha256"] == hashlib.sha256(b"42").hexdigest()


@pytest.mark.parametrize(
    ("function", "error_type", "said"),
    [
        (silent, "no_result", "without a result"),
        (failing, "agent_failed", "ZeroDivisionError"),
        (giving_up, "agent_failed", "There is nothing to be done."),
        (garbling, "agent_failed", "TypeError"),
        (unspeakable, "agent_failed", "UnicodeEncodeError"),
        (cheating, "agent_failed", "AttributeError"),
        (cancelling_itself, "agent_failed", "CancelledError"),
    ],
)
def test_whatever_an_agent_does_the_run_ends_in_one_error(
    kit: Kit, function: Any, error_type: str, said: str
) -> None:
    events = play(kit, function)
    assert kit.kinds(events) == [*BEGIN, f"error:{error_type}"]
    message = events[-1]["payload"]["error_message"]
    assert said in message
    assert "internal detail" not in message


def test_an_unknown_agent_is_looked_up_after_the_first_thought(kit: Kit) -> None:
    events = kit.go(kit.Stage({"known": kit.FunctionAgent(answering)}).play(agent_name="unknown"))
    assert kit.kinds(events) == ["start", "P1", "error:agent_failed"]
    assert "there are: known" in events[-1]["payload"]["error_message"]


def test_a_timeout_completes_the_open_tool_and_ends_the_run(kit: Kit) -> None:
    events = play(kit, hanging, timeout_s=0.02)
    assert kit.kinds(events) == [*BEGIN, "tool", "done:timeout", "error:timeout"]


@pytest.mark.parametrize("delay_s", [None, 0.0, 0.02])
def test_a_cancel_completes_the_open_tool_and_ends_the_run(kit: Kit, delay_s: float | None) -> None:
    async def work() -> list[Message]:
        stage = kit.Stage({"agent": kit.FunctionAgent(hanging)})
        session = stage.session()
        run = stage.open(session)
        if delay_s is None:  # before the run has even begun
            run.stop("cancelled")
        else:
            asyncio.get_running_loop().call_later(delay_s, run.stop, "cancelled")
        assert await stage.core.execute(run) == "cancelled"
        return kit.events_of(session)

    found = kit.kinds(kit.go(work()))
    assert [kind for kind in found if "tool" not in kind and "done" not in kind] == [
        *BEGIN,
        "error:cancelled",
    ]
    assert found.count("tool") == found.count("done:cancelled")
    if delay_s:
        assert found[3:5] == ["tool", "done:cancelled"]


def test_an_agent_that_swallows_its_cancellation_has_no_result(kit: Kit) -> None:
    assert kit.kinds(play(kit, stubborn, timeout_s=0.02)) == [*BEGIN, "error:timeout"]


def test_an_agent_that_goes_on_all_the_same_is_left_behind(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_module, "STOP_GRACE_S", 0.02)
    ended = asyncio.Event()

    async def deaf(_: AgentTask) -> AgentResult:
        for _turn in range(10):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.05)
        ended.set()
        return AgentResult("never")

    async def work() -> None:
        events = await kit.Stage({"agent": kit.FunctionAgent(deaf)}, timeout_s=0.02).play()
        assert kit.kinds(events) == [*BEGIN, "error:timeout"]
        assert not ended.is_set()
        await ended.wait()

    kit.go(work())


def test_the_first_end_stands(kit: Kit) -> None:
    async def work() -> list[Message]:
        stage = kit.Stage({"agent": kit.FunctionAgent(answering)})
        session = stage.session()
        run = stage.open(session)
        assert await stage.core.execute(run) == "completed"
        run.stop("cancelled")
        await asyncio.sleep(0.01)
        return kit.events_of(session)

    assert kit.kinds(kit.go(work()))[-1] == "completed"


def test_runs_of_one_agent_at_the_same_time_share_nothing(kit: Kit) -> None:
    emitters: list[object] = []

    async def agent(task: AgentTask) -> AgentResult:
        emitters.append(task.emit_thinking)
        for number in range(20):
            task.emit_thinking(f"{task.request.text} {number}")
            await asyncio.sleep(0)
        return AgentResult(task.request.text)

    async def work() -> tuple[list[Message], list[Message]]:
        stage = kit.Stage({"agent": kit.FunctionAgent(agent)})
        first, second = stage.session("u1"), stage.session("u2")
        await asyncio.gather(
            stage.core.execute(stage.open(first, "r1", text="token of u1")),
            stage.core.execute(stage.open(second, "r2", text="token of u2")),
        )
        return kit.events_of(first), kit.events_of(second)

    first, second = kit.go(work())
    assert len({id(emitter) for emitter in emitters}) == 2
    for events, mine, other in ((first, "u1", "u2"), (second, "u2", "u1")):
        assert len(events) == 25
        assert f"token of {other}" not in str(events)
        assert {event["user_id"] for event in events} == {mine}
        assert [event["seq"] for event in events] == list(range(1, 26))


def test_after_the_end_nothing_more_is_said(kit: Kit) -> None:
    async def agent(task: AgentTask) -> AgentResult:
        asyncio.get_running_loop().call_later(0.01, task.emit_thinking, "an afterthought")
        return AgentResult("42")

    async def work() -> tuple[list[Message], float]:
        stage = kit.Stage({"agent": kit.FunctionAgent(agent)})
        events = await stage.play()
        await asyncio.sleep(0.03)
        return events, kit.sample(stage.metrics, 'delivery_failures_total{reason="run_not_open"}')

    events, refused = kit.go(work())
    assert kit.kinds(events)[-1] == "completed"
    assert refused == 1
