"""Whether what is another's can be told from what is nobody's by the time that its refusal takes."""

import time
from typing import Final

from streamgauge.core.lookalike import like
from streamgauge.core.telling import Telling, tell
from streamgauge.rig.attacker.line import Line
from streamgauge.rig.attacker.scene import ANSWER_S, Scene

_LEAST_S: Final = 20.0  # that it may take
_PAIR_S: Final = 1 / 15  # the same for each of the usual 300 pairs


async def time_pairs(scene: Scene) -> Telling | None:
    """Cancel a bystander's run and none, in pairs and random order; None where nobody can cancel.

    A pair counts only where that run still went on when both were answered: one that has ended may
    well be looked up as one that never was. There are fewer where runs are too short for so many.
    """
    if scene.dialect.cancel("r") is None:
        return None
    wanted = scene.plan.attack.pairs
    pairs: list[tuple[int, int]] = []
    line = await scene.line()
    deadline = time.monotonic() + max(_LEAST_S, wanted * _PAIR_S)
    try:
        while len(pairs) < wanted and time.monotonic() < deadline:
            if (victim := await scene.live()) is None:
                break
            absent = like(victim.run, scene.rng)
            took: dict[str, int] = {}
            for name in scene.rng.sample((victim.run, absent), 2):
                took[name] = await _answered_ns(scene, line, name)
            if 0 in took.values():
                break
            if scene.is_under_way(victim):
                pairs.append((took[victim.run], took[absent]))
    finally:
        await line.leave()
    return tell(pairs)


async def _answered_ns(scene: Scene, line: Line, run: str) -> int:
    """How long the answer took, in ns; 0 where there was none."""
    message = scene.dialect.cancel(run)
    assert message is not None
    began_ns = time.monotonic_ns()
    await line.say(message)
    answered = await line.take(scene.is_answer, ANSWER_S)
    return 0 if answered is None else time.monotonic_ns() - began_ns
