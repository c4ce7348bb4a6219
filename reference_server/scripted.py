"""The scripted agent: plays a list of steps, so that a load looks like real work and its stream is known."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from reference_server.agent import AgentFailedError, AgentResult, AgentTask, current_task
from reference_server.script import (
    DEFAULT_SCRIPT,
    Cpu,
    Fail,
    NoResult,
    Parallel,
    Result,
    Sleep,
    Step,
    Stream,
    Think,
    draw_ms,
)
from reference_server.script import Tool as ToolStep
from reference_server.text import divided, padded
from reference_server.tools import Tool, ToolError, ToolFunction

CPU_SLICE_MS = 5.0

InThread = Callable[..., Awaitable[Any]]


async def simulated_tool(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Take the time, and come to the end, that the parameters state."""
    await asyncio.sleep(parameters["ms"] / 1e3)
    return _told({"request": parameters["request"], "context": parameters["context"]}, parameters)


def threaded_tool(in_thread: InThread) -> ToolFunction:
    """A tool like `simulated_tool` whose work `in_thread` does, and who it is for is known by the context."""

    async def call(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        over = threading.Event()
        try:
            told: Mapping[str, Any] = await in_thread(_work, parameters, over)
        finally:
            over.set()  # a call that was given up must not keep its thread
        return told

    return call


def _work(parameters: Mapping[str, Any], over: threading.Event) -> Mapping[str, Any]:
    request = current_task.get().request
    over.wait(parameters["ms"] / 1e3)
    return _told({"request": request.text, "context": request.shown}, parameters)


def _told(about: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    if parameters["outcome"] != "success":
        raise ToolError({**about, "error": f"simulated {parameters['outcome']}"}, parameters["outcome"])
    return {**about, "data": padded("", parameters["bytes"])}


class ScriptedAgent:
    """Plays the request's script, or the default one. Every text carries the request and its context.

    `tool` is what its tools do, and `in_thread` how those that work in threads get there.
    """

    def __init__(self, tool: ToolFunction = simulated_tool, in_thread: InThread = asyncio.to_thread) -> None:
        self._tool = tool
        self._threaded = threaded_tool(in_thread)

    async def run(self, task: AgentTask) -> AgentResult | None:
        """Play the steps; the result is the last one's."""
        current_task.set(task)  # every run of an agent is an asyncio task, with a context of its own
        play = _Play(task, self._tool, self._threaded)
        script = DEFAULT_SCRIPT if task.request.script is None else task.request.script
        for step in script[:-1]:
            await play.step(step)
        return await play.last(script[-1]) if script else None


class _Play:
    """One run's way through its script."""

    def __init__(self, task: AgentTask, tool: ToolFunction, threaded: ToolFunction) -> None:
        self._task = task
        self._tool = tool
        self._threaded = threaded
        self._streamed: list[str] = []

    async def step(self, step: Step) -> None:
        task = self._task
        self._listen()
        match step:
            case Think(text):
                task.emit_thinking(task.request.about(text))
            case ToolStep():
                await self._call(step)
            case Parallel(steps):
                await self._together(steps)
            case Stream():
                await self._stream(step)
            case Cpu(ms):
                await _burn(draw_ms(ms, task.rng))
            case Sleep(ms):
                await asyncio.sleep(draw_ms(ms, task.rng) / 1e3)
            case Fail(kind):
                raise AgentFailedError(f"The agent failed with {kind}.")
            case Result() | NoResult():  # only the last step may be one: `last` plays it
                raise AssertionError(step)

    async def last(self, step: Step) -> AgentResult | None:
        """Play the last step, which alone may bring a result."""
        if not isinstance(step, Result | NoResult):
            await self.step(step)
            return None
        self._listen()
        if isinstance(step, NoResult):
            return None
        if self._streamed:
            return AgentResult("".join(self._streamed))
        return AgentResult(padded(self._task.request.about("Answer"), step.bytes))

    def _listen(self) -> None:
        for text in self._task.heard():
            self._task.emit_thinking(self._task.request.about(f"The user adds {text}"))

    async def _call(self, step: ToolStep) -> None:
        request = self._task.request
        parameters = {
            "request": request.text,
            "context": request.shown,
            "ms": round(draw_ms(step.ms, self._task.rng), 3),
            "bytes": step.bytes,
            "outcome": step.outcome,
        }
        function = self._threaded if step.thread else self._tool
        await self._task.call_tool(Tool(step.name, function), parameters)

    async def _together(self, steps: Sequence[Step]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for step in steps:
                    group.create_task(self.step(step))
        except ExceptionGroup as failed:  # the run shows one failure: the first
            raise failed.exceptions[0] from None

    async def _stream(self, step: Stream) -> None:
        """Chunk by chunk, each when it is due: a late one must not make all later ones late."""
        text = padded(self._task.request.about("Answer"), step.chunks * step.bytes)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        for number, delta in enumerate(divided(text, step.chunks), start=1):
            due_s = began_s + number / step.per_second if step.per_second else 0
            await asyncio.sleep(max(0, due_s - loop.time()))
            self._streamed.append(delta)
            self._task.emit_partial_result(delta)


async def _burn(ms: float) -> None:
    """Use the processor for this long, in slices: one run must not silence all others' heartbeats."""
    left_ns = ms * 1e6
    while left_ns > 0:
        slice_ns = min(left_ns, CPU_SLICE_MS * 1e6)
        end_ns = time.thread_time_ns() + slice_ns
        while time.thread_time_ns() < end_ns:
            pass
        left_ns -= slice_ns
        await asyncio.sleep(0)
