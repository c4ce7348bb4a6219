"""Attacks on whose something is: names and sessions that are somebody else's."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from streamgauge.core.apart import Answer, told_apart
from streamgauge.core.attack import Seen, Try
from streamgauge.core.event import TERMINAL, Event, Kind
from streamgauge.core.lookalike import like, neighbours
from streamgauge.protocol import Request
from streamgauge.protocol.dialect import Unreadable
from streamgauge.protocol.native_attacks import claiming, is_resume_failed, resume, subscribe
from streamgauge.rig.attacker.bystander import UnderWay
from streamgauge.rig.attacker.line import Line
from streamgauge.rig.attacker.scene import ANSWER_S, ATTACKER, Carry, Scene

Attempt = Awaitable[Try]

_ROUNDS: Final = 8
_MOST_ROUNDS: Final = 40  # where runs end before they are attacked
_TOLD_APART: Final = "it is told apart from what does not exist, by"
_PATHS: Final = 3  # that are named of those by which it is
_PATH: Final = 60  # characters of one: a server has named what is on it
_NOT_SUPPORTED: Final = ("error not_supported", "error unknown_type")
_NO_RESUME: Final = "the server does not offer resume"
_NO_MESSAGE: Final = Seen(why="the protocol has no message for it", applies=False)
_ENDED_TOO_SOON: Final = "no bystander's run was still under way when it was answered"


async def _rounds(
    scene: Scene, attempt: Callable[[Line, UnderWay], Attempt], *, outlasting: bool = False
) -> Seen:
    """Attempt something on runs that have just begun, and still go on when it is answered.

    `outlasting`: what is attempted takes a run's time itself, and need only begin in time.
    """
    line = await scene.line()
    tries: list[Try] = []
    try:
        for _ in range(_MOST_ROUNDS):
            if len(tries) == _ROUNDS or not line.is_open:
                break
            if (victim := await scene.victim()) is None:
                break
            seen = await attempt(line, victim)
            if seen.harm or line.leaked or outlasting or scene.is_under_way(victim):
                tries.append(seen)
            if seen.harm or line.leaked:  # once is enough, and more could only hurt
                break
        return Seen(tuple(tries), _ENDED_TOO_SOON)
    finally:
        await line.leave()


async def _ask(scene: Scene, line: Line, message: bytes) -> bytes | None:
    await line.say(message)
    return await line.take(scene.is_answer, ANSWER_S)


async def _both(scene: Scene, line: Line, name: str, say: Callable[[str], bytes | None]) -> Try:
    """Ask on one line for what is another's and for what is nobody's, and compare the answers."""

    async def ask(each: str) -> bytes | None:
        message = say(each)
        assert message is not None
        return await _ask(scene, line, message)

    return await _compared(scene, name, ask)


async def _compared(scene: Scene, name: str, ask: Callable[[str], Awaitable[bytes | None]]) -> Try:
    """Ask for what is another's between two names of nobody: what differs between those two is noise."""
    names = (like(name, scene.rng), name, like(name, scene.rng))
    before, foreign, after = [Answer(each, await ask(each)) for each in names]
    paths = told_apart(foreign, before, after)
    failed = foreign.message is not None and is_resume_failed(foreign.message)
    seen = Try("resume_failed") if failed else scene.answer(foreign.message)
    if not paths:
        return seen
    by = " and ".join(path if len(path) <= _PATH else f"{path[:_PATH]}…" for path in paths[:_PATHS])
    return Try(seen.answer, f"of none: {scene.answer(before.message).answer}", f"{_TOLD_APART} {by}")


async def foreign_cancel(scene: Scene) -> Seen:
    """Cancel a run of a bystander."""
    if scene.dialect.cancel("r") is None:
        return _NO_MESSAGE
    return await _rounds(scene, lambda line, victim: _both(scene, line, victim.run, scene.dialect.cancel))


async def foreign_message(scene: Scene) -> Seen:
    """Speak into a run of a bystander, by a word that gives itself away where it is heard."""
    if scene.dialect.say("r", "") is None:
        return _NO_MESSAGE
    word = f"stop {scene.canary}"
    return await _rounds(
        scene,
        lambda line, victim: _both(scene, line, victim.run, lambda run: scene.dialect.say(run, word)),
    )


async def neighbouring_ids(scene: Scene) -> Seen:
    """Cancel the runs just before and after one of a bystander."""
    if scene.dialect.cancel("r") is None:
        return _NO_MESSAGE

    async def attempt(line: Line, victim: UnderWay) -> Try:
        tries = [await _both(scene, line, beside, scene.dialect.cancel) for beside in neighbours(victim.run)]
        return next((each for each in tries if each.harm), tries[0])

    return await _rounds(scene, attempt)


async def foreign_thread(scene: Scene) -> Seen:
    """Follow a thread of a bystander, where the server offers that."""
    if not scene.greeting.session.id:  # who speaks of no sessions has no word for it
        return _NO_MESSAGE
    line = await scene.line()
    try:
        probed = scene.answer(await _ask(scene, line, subscribe("t-of-nobody"))).answer
    finally:
        await line.leave()
    if probed in _NOT_SUPPORTED:
        return Seen(why="the server does not offer subscribe", applies=False)
    return await _rounds(scene, lambda line, victim: _both(scene, line, victim.thread, subscribe))


async def foreign_session(scene: Scene) -> Seen:
    """Resume the session of a bystander, where the server offers that."""
    if not scene.greeting.session.resume:
        return Seen(why=_NO_RESUME, applies=False)

    async def ask(name: str) -> bytes | None:
        line = await scene.line()  # only a connection's first message may be one
        try:
            return await _ask(scene, line, resume(name))
        finally:
            await line.leave()

    return Seen((await _compared(scene, scene.greeting.session.id, ask),))


async def own_session(scene: Scene) -> Seen:
    """Resume what is the attacker's own, too late or twice: of no server is that known yet."""
    offered = scene.greeting.session.resume
    why = "not carried out yet" if offered else _NO_RESUME
    return Seen(why=why, applies=False)


async def claimed_user(scene: Scene) -> Seen:
    """Ask under the name of a bystander."""

    async def attempt(line: Line, victim: UnderWay) -> Try:
        asked = scene.request()
        return await _own_run(scene, line, asked, claiming(scene.dialect.start(asked), victim.user), victim)

    return await _rounds(scene, attempt, outlasting=True)


async def chosen_ids(scene: Scene) -> Seen:
    """Ask by the very names that a bystander chose for a run which is under way."""

    async def attempt(line: Line, victim: UnderWay) -> Try:
        asked = scene.request(request=victim.request, thread=victim.thread)
        return await _own_run(scene, line, asked, scene.dialect.start(asked), victim)

    return await _rounds(scene, attempt, outlasting=True)


async def _own_run(scene: Scene, line: Line, asked: Request, message: bytes, victim: UnderWay) -> Try:
    """See a run of the attacker to its end: it must be its own, and nobody else's may arrive."""
    reader = scene.dialect.reader()
    reader.expect(asked, scene.dialect.echo(asked))
    events: list[Event] = []

    def is_last(said: bytes) -> bool:
        try:
            event, _ = reader.read(said)
        except Unreadable:
            return False
        events.append(event)
        return event.kind in TERMINAL or event.kind == Kind.REFUSED

    await line.say(message)
    await line.take(is_last, scene.plan.slack)
    refused = [event.status for event in events if event.kind == Kind.REFUSED]
    others = [event for event in events if event.user not in {"", ATTACKER}]
    given = any(event.run == victim.run != asked.request for event in events)
    harm = ""
    if given or others:
        harm = "the run of a bystander arrived" if given else "an event bears another user's name"
    elif not refused and not any(event.kind in TERMINAL for event in events):
        harm = f"its run did not end within {scene.plan.slack:g} s"
    return Try(f"error {refused[0]}" if refused else "own", harm=harm)


CARRIED: Final[Mapping[str, Carry]] = {
    "claimed user": claimed_user,
    "chosen ids": chosen_ids,
    "foreign run cancelled": foreign_cancel,
    "foreign run spoken into": foreign_message,
    "neighbouring run ids": neighbouring_ids,
    "foreign thread followed": foreign_thread,
    "foreign session resumed": foreign_session,
    "expired session resumed": own_session,
    "session resumed twice": own_session,
}
