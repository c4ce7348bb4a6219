from __future__ import annotations

import asyncio
import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from reference_server.message import Event
from reference_server.script import read_script
from reference_server.scripted import ScriptedAgent
from reference_server.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.reference_server.conftest import Kit, Message

TOKEN = "canary0123456789"


def play(kit: Kit, *steps: dict[str, Any], **request: Any) -> list[Message]:
    """Play a script (the default one where none is given) and give the events of the agent's own part."""
    script = read_script(json.dumps(steps).encode(), 32_768) if steps else None
    stage = kit.Stage({"agent": ScriptedAgent()})
    return kit.go(stage.play(script=script, shown={"c": TOKEN}, shown_text=f'{{"c":"{TOKEN}"}}', **request))


def own(kit: Kit, events: list[Message]) -> list[str]:
    return kit.kinds(events)[3:]


def test_the_default_run(kit: Kit) -> None:
    events = play(kit)
    assert kit.kinds(events) == [
        *("start", "P1", "P2", "A", "tool", "done:success", "part0", "part1", "part2", "P3", "completed")
    ]


def test_everything_carries_the_request_and_its_context(kit: Kit) -> None:
    events = play(kit, text="what is new")
    payloads = [event["payload"] for event in events if event["type"] != "partial_result"]
    for payload in [*payloads[1:-1], payloads[-1]["result"]]:
        assert "what is new" in str(payload)
        assert TOKEN in str(payload)


def test_the_joined_deltas_are_the_answer(kit: Kit) -> None:
    events = play(
        kit,
        {"do": "stream", "chunks": 7, "bytes": 40},
        {"do": "stream", "chunks": 2, "bytes": 1},
        {"do": "result", "bytes": 9_999},
    )
    deltas = [event["payload"]["delta"] for event in events if event["type"] == "partial_result"]
    completed = events[-1]["payload"]
    assert len(deltas) == 9
    assert all(deltas)
    assert "".join(deltas) == completed["result"]["answer"]
    assert hashlib.sha256("".join(deltas).encode()).hexdigest() == completed["answer_sha256"]
    assert len("".join(deltas[:7])) == 280


def test_an_answer_that_was_not_streamed_has_its_size(kit: Kit) -> None:
    completed = play(kit, {"do": "result", "bytes": 5_000})[-1]["payload"]
    answer = completed["result"]["answer"]
    assert len(answer) == 5_000
    assert hashlib.sha256(answer.encode()).hexdigest() == completed["answer_sha256"]


@pytest.mark.parametrize("steps", [[{"do": "think"}], [{"do": "no_result"}]])
def test_a_script_without_a_result_has_none(kit: Kit, steps: list[dict[str, Any]]) -> None:
    assert own(kit, play(kit, *steps))[-1] == "error:no_result"


def test_an_empty_script_has_no_result(kit: Kit) -> None:
    assert own(kit, kit.go(kit.Stage({"agent": ScriptedAgent()}).play(script=()))) == ["error:no_result"]


def test_steps_are_played_in_order(kit: Kit) -> None:
    events = play(
        kit,
        {"do": "think", "text": "first"},
        {"do": "sleep", "ms": 1},
        {"do": "cpu", "ms": 1},
        {"do": "tool", "name": "search", "bytes": 100},
        {"do": "think", "text": "second"},
        {"do": "result"},
    )
    assert own(kit, events) == ["A", "tool", "done:success", "A", "P3", "completed"]
    assert events[3]["payload"]["reasoning"].startswith("first: ")
    assert len(events[5]["payload"]["result"]["data"]) == 100


@pytest.mark.parametrize("outcome", ["error", "timeout"])
def test_a_failing_tool_is_the_agents_to_bear(kit: Kit, outcome: str) -> None:
    events = play(kit, {"do": "tool", "name": "search", "outcome": outcome}, {"do": "result"})
    assert own(kit, events) == ["tool", f"done:{outcome}", "P3", "completed"]
    assert TOKEN in str(events[4]["payload"]["result"])


def test_parallel_tools_interleave(kit: Kit) -> None:
    tools = [{"do": "tool", "name": f"tool {n}", "ms": 20 - 10 * n} for n in range(3)]
    events = play(kit, {"do": "parallel", "steps": tools}, {"do": "result"})
    assert own(kit, events) == ["tool"] * 3 + ["done:success"] * 3 + ["P3", "completed"]
    ends = [event["payload"]["tool_name"] for event in events if event["type"] == "tool_completed"]
    assert ends == ["tool 2", "tool 1", "tool 0"]


def test_a_tool_in_a_thread_leaves_the_loop_to_others(kit: Kit) -> None:
    tools = [{"do": "tool", "name": f"tool {n}", "ms": 60 - 50 * n, "thread": True} for n in range(2)]
    events = play(kit, {"do": "parallel", "steps": tools}, {"do": "result"})
    assert own(kit, events) == ["tool"] * 2 + ["done:success"] * 2 + ["P3", "completed"]
    ends = [event["payload"]["tool_name"] for event in events if event["type"] == "tool_completed"]
    assert ends == ["tool 1", "tool 0"]


@pytest.mark.parametrize("outcome", ["success", "error"])
def test_a_tool_in_a_thread_knows_whose_work_it_does(kit: Kit, outcome: str) -> None:
    """By the context variable alone: nothing that it is given says so."""

    async def with_nothing_but_numbers(function: Callable[..., Any], parameters: Any, *rest: Any) -> Any:
        given = {name: parameters[name] for name in ("ms", "bytes", "outcome")}
        return await asyncio.to_thread(function, given, *rest)

    agent = ScriptedAgent(in_thread=with_nothing_but_numbers)
    script = [{"do": "tool", "name": "t", "thread": True, "outcome": outcome}, {"do": "result"}]

    async def work() -> list[list[Message]]:
        stage = kit.Stage({"agent": agent})
        steps = read_script(json.dumps(script).encode(), 1_000)
        sessions = [stage.session(f"u{n}") for n in range(20)]
        runs = [
            stage.open(session, f"r{n}", script=steps, text=f"hi from {n}", shown={"me": n})
            for n, session in enumerate(sessions)
        ]
        await asyncio.gather(*map(stage.core.execute, runs))
        return list(map(kit.events_of, sessions))

    for n, events in enumerate(kit.go(work())):
        (done,) = [event["payload"] for event in events if event["type"] == "tool_completed"]
        assert done["status"] == outcome
        assert done["result"]["context"] == {"me": n}
        assert done["result"]["request"] == f"hi from {n}"


def test_a_tool_that_was_given_up_keeps_no_thread(kit: Kit) -> None:
    steps = [{"do": "tool", "name": "slow", "ms": 600_000, "thread": True}, {"do": "fail"}]
    events = play(kit, {"do": "parallel", "steps": steps}, {"do": "result"})  # or the loop would not end
    assert own(kit, events)[-2:] == ["done:cancelled", "error:agent_failed"]


def test_a_failure_names_its_type(kit: Kit) -> None:
    events = play(kit, {"do": "fail", "type": "QuotaError"}, {"do": "result"})
    assert own(kit, events) == ["error:agent_failed"]
    assert "QuotaError" in events[-1]["payload"]["error_message"]


def test_a_failure_beside_others_ends_them(kit: Kit) -> None:
    steps = [{"do": "tool", "name": "slow", "ms": 60_000}, {"do": "fail"}]
    events = play(kit, {"do": "parallel", "steps": steps}, {"do": "result"})
    assert own(kit, events) == ["tool", "done:cancelled", "error:agent_failed"]
    assert "ScriptedFailure" in events[-1]["payload"]["error_message"]


def test_a_seed_draws_the_same_times(kit: Kit) -> None:
    tool = {"do": "tool", "name": "t", "ms": {"dist": "exponential", "mean": 2}}

    def times(seed: int) -> list[float]:
        events = play(kit, tool, tool, {"do": "result"}, seed=seed)
        return [e["payload"]["parameters"]["ms"] for e in events if e["type"] == "tool_executing"]

    assert times(1) == times(1)
    assert times(1) != times(2)


def test_no_chunk_of_a_stream_comes_before_it_is_due(kit: Kit) -> None:
    events = play(kit, {"do": "stream", "chunks": 4, "per_second": 100}, {"do": "result"})
    before = max(event["emitted_ns"] for event in events[:3])
    stamps = [event["emitted_ns"] for event in events if event["type"] == "partial_result"]
    # but for a millisecond: uvloop counts in whole ones
    assert all(stamp - before >= number * 10e6 - 1e6 for number, stamp in enumerate(stamps, start=1))


def test_what_a_chunk_takes_does_not_delay_all_later_ones(kit: Kit) -> None:
    pace_ms, takes_ms, chunks = 10, 8, 30

    def slowly(session: Session, event: Event) -> None:
        time.sleep(takes_ms / 1e3)
        session.send(event)

    script = [{"do": "stream", "chunks": chunks, "per_second": 1_000 / pace_ms}, {"do": "result"}]
    stage = kit.Stage({"agent": ScriptedAgent()}, emit=slowly)
    events = kit.go(stage.play(script=read_script(json.dumps(script).encode(), 1_000)))
    stamps = [event["emitted_ns"] for event in events if event["type"] == "partial_result"]
    assert (stamps[-1] - stamps[0]) / 1e6 < chunks * (pace_ms + takes_ms / 2)


def test_cpu_is_used_in_slices_that_let_others_live(kit: Kit) -> None:
    async def work() -> tuple[int, int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        ticking = asyncio.create_task(tick())
        before = time.thread_time_ns()
        script = read_script(b'[{"do":"cpu","ms":40},{"do":"result"}]', 1_000)
        await kit.Stage({"agent": ScriptedAgent()}).play(script=script)
        ticking.cancel()
        return ticks, time.thread_time_ns() - before

    ticks, used_ns = kit.go(work())
    assert ticks >= 8
    assert used_ns >= 40e6


@pytest.mark.parametrize("rest", [[{"do": "result"}], [{"do": "think"}, {"do": "result"}]])
def test_what_the_user_adds_is_seen_at_the_next_step(kit: Kit, rest: list[dict[str, Any]]) -> None:
    steps = [{"do": "sleep", "ms": 20}, *rest]

    async def work() -> list[Message]:
        stage = kit.Stage({"agent": ScriptedAgent()})
        session = stage.session()
        run = stage.open(session, script=read_script(json.dumps(steps).encode(), 1_000))
        asyncio.get_running_loop().call_later(0.005, run.say, "use the other one")
        await stage.core.execute(run)
        return kit.events_of(session)

    events = kit.go(work())
    assert own(kit, events) == ["A"] * len(rest) + ["P3", "completed"]
    assert "use the other one" in events[3]["payload"]["reasoning"]
