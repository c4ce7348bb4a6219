"""The attack list from its beginning to its end, in one asyncio loop."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from streamgauge.core.analysis import Analysis, AnalysisState
from streamgauge.core.attack import ATTACKS, Attack, Attacked, Seen, judge
from streamgauge.core.campaign import BYSTANDERS, Campaign, suffered
from streamgauge.core.checks.verdicts import conclude
from streamgauge.core.finding import Verdict
from streamgauge.core.observation import Observation
from streamgauge.core.recording import End, Header, Recording
from streamgauge.core.telling import Telling
from streamgauge.plan import Plan, digest
from streamgauge.rig.attacker import doors, frames, identity, patience
from streamgauge.rig.attacker.bystander import Bystander
from streamgauge.rig.attacker.interruption import interruptible, unless
from streamgauge.rig.attacker.line import Door
from streamgauge.rig.attacker.scene import ATTACKER, Carry, Scene
from streamgauge.rig.attacker.timing import time_pairs
from streamgauge.trust import trust

CARRIED: Final[Mapping[str, Carry]] = {
    **doors.CARRIED,
    **identity.CARRIED,
    **frames.CARRIED,
    **patience.CARRIED,
}
_WAITING: Final = frozenset({"token expires", *patience.CARRIED})  # they mostly wait, and do so together

_INTERRUPTED: Final = Seen(why="interrupted")
_ALL: Final = 1.0  # may lack the kernel's stamps: asyncio never reads them, so that it is no news
_NO_CLOCK: Final = ""  # that a server's stamps could be compared with: asyncio reads without the kernel's

Told = Callable[[Attacked], None]
Harmed = Callable[[Iterable[Verdict]], tuple[str, ...]]


def campaign(
    plan: Plan, target: str, secret: str, told: Told, harmed: Harmed = suffered
) -> tuple[Campaign, AnalysisState, Recording]:
    """Carry out the list, and judge the bystanders' streams as those of any run. Raises `OSError`.

    `harmed` says in words what is broken in those streams, of which the recording holds all rows.
    Ctrl-C, SIGTERM and SIGHUP cut the list short: the recording's end says so, and what was not
    carried out is unknown. Raises `KeyboardInterrupt` where nothing was yet.
    """
    began_ns = time.monotonic_ns()
    analysis = Analysis(plan.limits, _NO_CLOCK, began_ns, plan.promises)
    rows: list[Observation] = []
    carried = 0

    def count(of: Attacked) -> None:
        nonlocal carried
        carried += 1
        told(of)

    def add(row: Observation) -> None:
        analysis.add(row)
        rows.append(row)

    done = asyncio.run(attack(plan, target, secret, add, count))
    if not carried:
        raise KeyboardInterrupt
    ended_ns = time.monotonic_ns()
    state = analysis.finish(ended_ns)
    harm = harmed(conclude(state.checks, (), plan.promises))
    header = Header(
        worker=BYSTANDERS,
        protocol=plan.protocol,
        clock=_NO_CLOCK,
        began_ns=began_ns,
        limits=plan.limits,
        required=tuple(plan.needed),
        plan=digest(plan),
        promises=tuple(sorted(plan.promises)),
        epoch_ns=time.time_ns() - time.monotonic_ns(),
        doubts=replace(plan.doubts, missing_stamps=_ALL),
    )
    recording = Recording(header, rows, End(ended_ns, cut_short=carried < len(ATTACKS)))
    return replace(done, harm=(*done.harm, *harm)), state, recording


async def attack(
    plan: Plan, target: str, secret: str, add: Callable[[Observation], None], told: Told
) -> Campaign:
    """Carry out the whole list beside the bystanders, whose rows go to `add`; `told` hears of each attack.

    Raises `OSError` where the bystanders cannot connect. What is interrupted ends with what is done.
    """
    door = Door(target, plan.login, secret, trust(target, plan.ca_file), plan.connect_timeout)
    scene = Scene(plan, door, random.Random(f"attack {plan.seed}"))  # noqa: S311 - an order, no secret
    scene.bystanders = [
        Bystander(number, plan, add, scene.accepted) for number in range(1, plan.attack.bystanders + 1)
    ]
    _ = scene.forged  # before anybody lives, whom it would keep waiting
    for bystander in scene.bystanders:
        await bystander.open(door)
    lives = [asyncio.create_task(bystander.live()) for bystander in scene.bystanders]
    done: dict[str, Attacked] = {}
    with interruptible(scene.let_go) as interrupted:
        try:
            telling = await unless(interrupted, _all(scene, done, told))
        finally:
            for bystander in scene.bystanders:
                bystander.stop()
            await asyncio.gather(*lives)
    left = (each for each in ATTACKS if each.name not in done)
    done |= {each.name: judge(each, plan.attack.stated(each.name), _INTERRUPTED) for each in left}
    return Campaign(
        attacker=ATTACKER,
        attacks=tuple(done[each.name] for each in ATTACKS),
        bystanders=len(scene.bystanders),
        runs=sum(bystander.runs for bystander in scene.bystanders),
        telling=telling,
        harm=tuple(harm for bystander in scene.bystanders for harm in dict.fromkeys(bystander.harm)),
    )


async def _all(scene: Scene, done: dict[str, Attacked], told: Told) -> Telling | None:
    """What can be disturbed comes first: names and their times; what waits comes last, all at once."""

    async def carry_all(attacks: Iterable[Attack]) -> None:
        for each in attacks:
            done[each.name] = await carry(scene, each)
            told(done[each.name])

    await carry_all(each for each in ATTACKS if each.name in identity.CARRIED)
    telling = await time_pairs(scene) if scene.plan.attack.pairs else None
    await carry_all(each for each in ATTACKS if each.name not in {*identity.CARRIED, *_WAITING})
    await asyncio.gather(*(carry_all([each]) for each in ATTACKS if each.name in _WAITING))
    return telling


async def carry(scene: Scene, of: Attack) -> Attacked:
    """Carry out one attack; what keeps it from being carried out makes it unknown."""
    stated = scene.plan.attack.stated(of.name)
    if not stated:
        return judge(of, stated, Seen())
    began_ns = time.monotonic_ns()
    scene.watch()
    try:
        async with asyncio.timeout(scene.longest_s) as limit:
            seen = await CARRIED[of.name](scene)
    except OSError as error:
        late = f"it was not over after {scene.longest_s:.0f} s"
        why = late if limit.expired() else f"it could not be carried out: {error.strerror or error}"
        seen = Seen(why=why)
    return judge(of, stated, replace(seen, leak=scene.leak()), began_ns)
