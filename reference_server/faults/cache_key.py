"""The fault `cache-key`: answers are cached under the prompt alone."""

from msgspec.structs import replace

from reference_server.agent import Agent, AgentResult, AgentTask
from reference_server.faults.lottery import Lottery
from reference_server.parts import Parts

MOST_KEPT = 1_000  # where prompts are never equal, nothing is gained by more


class CachedAgent:
    """Answers what was asked before as it was answered then, whoever asks."""

    def __init__(self, agent: Agent, lottery: Lottery) -> None:
        self._agent = agent
        self._lottery = lottery
        self._kept: dict[str, tuple[str, AgentResult]] = {}

    async def run(self, task: AgentTask) -> AgentResult | None:
        prompt, user_id = task.request.text, task.context.user_id  # the key lacks the user and the context
        if prompt in self._kept:
            first_user, known = self._kept[prompt]
            if first_user != user_id and self._lottery.chosen():
                self._lottery.strike()
                return known
        result = await self._agent.run(task)
        if result is not None and len(self._kept) < MOST_KEPT:
            self._kept.setdefault(prompt, (user_id, result))
        return result


def cache_key(parts: Parts, lottery: Lottery) -> Parts:
    """Give the chosen runs the answer that another user's equal prompt got first, and do no work for them.

    An opportunity is a run with a prompt that another user's run was the first to have answered.
    """
    return replace(parts, served_by=lambda agent: CachedAgent(parts.served_by(agent), lottery))
