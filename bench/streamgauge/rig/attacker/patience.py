"""Attacks on a server's patience: whoever is slow, silent, deaf, or too many."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Final

from streamgauge.core.attack import Seen, Try
from streamgauge.rig.attacker.line import Line, dial
from streamgauge.rig.attacker.scene import ATTACKER, Carry, Scene

_BYTE_S: Final = 1.0
_REQUESTS: Final = 1_000  # at most; each brings many times its own text
_ASKED: Final = 8_000_000  # bytes of requests, more than sockets hold of them where they are not read
_TEXTS: Final = 6  # that fit into a message: events repeat them, and must fit themselves
_DEAF_SHARE: Final = 2 / 3  # of the patience: how long nothing is read
_QUIET_S: Final = 2.0  # after which nothing more is expected of who was not read
_BUFFERS: Final = 6_000_000  # bytes that the sockets of both sides may hold: tcp_wmem, and what is read into


async def _slow(scene: Scene) -> Seen:
    return await _dribble(scene, scene.door.session(scene.door.token(ATTACKER), {}).open())


async def _silent(scene: Scene) -> Seen:
    return await _dribble(scene, b"")


async def _dribble(scene: Scene, request: bytes) -> Seen:
    """Send a byte a second of the request, as long as the server bears it."""
    reader, writer = await dial(scene.door)
    began = time.monotonic()
    deadline = began + scene.plan.attack.patience
    heard = b""
    try:
        for at in range(int(scene.plan.attack.patience / _BYTE_S) + 1):
            with contextlib.suppress(ConnectionError):
                writer.write(request[at : at + 1])
                await writer.drain()
            until = min(deadline, began + (at + 1) * _BYTE_S)
            try:
                async with asyncio.timeout(max(0.0, until - time.monotonic())):
                    while data := await reader.read(1_024):
                        heard += data
            except TimeoutError:
                continue
            except OSError:
                pass
            return Seen((Try(_status(heard) or "cut", f"after {time.monotonic() - began:.1f} s"),))
    finally:
        writer.transport.abort()
    return Seen((Try("kept", f"still there after {scene.plan.attack.patience:g} s"),))


def _status(heard: bytes) -> str:
    words = heard.split(maxsplit=2)
    is_http = len(words) > 1 and words[0].startswith(b"HTTP/") and words[1].isdigit()
    return f"http {words[1].decode()}" if is_http else ""


async def _deaf(scene: Scene) -> Seen:
    """Ask for far more than any buffer holds, read nothing for a while, then see what was kept."""
    line = await scene.line(f"{ATTACKER}-deaf")
    text = "x" * (scene.largest // _TEXTS)
    line.hold_little()
    taken = True
    for _ in range(min(_REQUESTS, _ASKED // max(1, len(text)))):
        if not (taken := await line.say(scene.dialect.start(scene.request(text)))):
            break
    await asyncio.sleep(scene.plan.attack.patience * _DEAF_SHARE)
    ended = await line.end_or_quiet(_QUIET_S, scene.plan.attack.patience + _QUIET_S)
    line.drop()
    if ended == "kept" and not taken:  # what it does not take, it need not keep answers to
        return Seen((Try("held back"),))
    if ended == "kept" and line.received < _BUFFERS:  # no server can see that so little is not read
        came, needed = line.received / 1e6, _BUFFERS / 1e6
        return Seen(why=f"not enough was owed to fill the buffers: {came:.1f} MB came of {needed:.0f} MB")
    return Seen((Try(ended),))


async def _many(scene: Scene) -> Seen:
    """Connect as one user until one connection is refused."""
    user = f"{ATTACKER}-many"
    token = scene.door.token(user)
    lines: list[Line] = []
    answer = ""
    try:
        while len(lines) < scene.plan.attack.connections:
            lines.append(await scene.open(token, user))
            answer = lines[-1].answer
            if answer != "accepted":
                break
    finally:
        for line in lines:
            line.drop()
    return Seen((Try(answer, f"the {len(lines)}th connection"),))


CARRIED: Final[Mapping[str, Carry]] = {
    "slow handshake": _slow,
    "says nothing": _silent,
    "never reads": _deaf,
    "too many connections": _many,
}
