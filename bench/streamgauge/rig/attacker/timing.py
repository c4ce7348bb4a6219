"""Whether what is another's can be told from what is nobody's by the time that its refusal takes."""

import time

from streamgauge.core.lookalike import like
from streamgauge.core.telling import Telling, tell
from streamgauge.rig.attacker.line import Line
from streamgauge.rig.attacker.scene import ANSWER_S, Scene


async def time_pairs(scene: Scene) -> Telling | None:
    """Cancel a bystander's run and none, in pairs and random order; None where nobody can cancel."""
    if scene.dialect.cancel("r") is None:
        return None
    pairs: list[tuple[int, int]] = []
    line = await scene.line()
    try:
        while len(pairs) < scene.plan.attack.pairs and scene.latest is not None:
            foreign = scene.latest.run
            absent = like(foreign, scene.rng)
            took: dict[str, int] = {}
            for name in scene.rng.sample((foreign, absent), 2):
                took[name] = await _answered_ns(scene, line, name)
            if 0 in took.values():
                break
            pairs.append((took[foreign], took[absent]))
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
