"""The emission-overhead experiment: which arm's turn it is.

Every block has one turn of each arm, in an order of its own, and one idle turn
for what the reading of the server's processor time costs. All arms of a block
draw the same numbers, so that their agents do the same work.
"""

import random
from collections.abc import Iterator
from itertools import count
from typing import Final

from streamgauge.core.overhead import Arm
from streamgauge.core.slices import Turn

_EMISSION: Final = {Arm.ON: "on", Arm.ON2: "on", Arm.ENCODE: "encode", Arm.OFF: "off"}

# What a server refuses that is under no measuring controls, and what changes nothing elsewhere.
CONTROLLED: Final = {"emission": _EMISSION[Arm.ON]}
WARM_UP: Final = 1  # blocks: the first one finds caches and allocators cold


def blocks(runs: int, seed: int) -> Iterator[tuple[Turn, ...]]:
    """Block after block without end; `runs` are those of one user in one turn."""
    rng = random.Random(f"overhead {seed}")  # noqa: S311 - an order, no secret
    for block in count():
        arms = list(Arm)
        rng.shuffle(arms)
        numbers = rng.getrandbits(30)
        yield tuple(_turn(block, arm, runs, numbers) for arm in arms)


def _turn(block: int, arm: Arm, runs: int, seed: int) -> Turn:
    counted = block >= WARM_UP
    if arm is Arm.IDLE:
        return Turn(block, arm, 0, seed, counted=counted)
    return Turn(
        block,
        arm,
        runs,
        seed,
        options={"emission": _EMISSION[arm]},
        silent=_EMISSION[arm] != "on",
        counted=counted,
    )
