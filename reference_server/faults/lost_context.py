"""The fault `lost-context`: a thread pool loses the context variable, and keeps another user's."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from msgspec.structs import replace

from reference_server.agent import AgentTask, current_task
from reference_server.faults.lottery import Lottery
from reference_server.parts import Parts

THREADS = 4


def lost_context(parts: Parts, lottery: Lottery) -> Parts:
    """Do the work of the chosen calls in a pool that is handed no context.

    So the variable is unset in a thread, and is set there by the first who misses it; a thread of a pool
    never ends, and whoever comes to it later finds the first one's. An opportunity is a call of a tool that
    works in a thread; it is a strike where its result is another user's.
    """
    pool = ThreadPoolExecutor(THREADS)

    async def faulty(function: Callable[..., Any], *arguments: Any) -> Any:
        if not lottery.chosen():
            return await parts.in_thread(function, *arguments)
        task = current_task.get()
        found, result = await asyncio.get_running_loop().run_in_executor(
            pool, _work, task, function, arguments
        )
        if found.context.user_id != task.context.user_id:
            lottery.strike()
        return result

    return replace(parts, in_thread=faulty)


def _work(task: AgentTask, function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[AgentTask, Any]:
    found = current_task.get(None)
    if found is None:
        current_task.set(found := task)
    return found, function(*arguments)
