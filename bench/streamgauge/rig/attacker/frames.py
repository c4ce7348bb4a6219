"""Attacks with bytes: messages and frames that no client should send."""

import asyncio
import zlib
from collections.abc import Mapping
from functools import partial
from typing import Final

from msgspec.structs import replace
from websockets.frames import Frame, Opcode

from streamgauge.core.attack import Seen, Try
from streamgauge.core.event import TERMINAL, Kind
from streamgauge.protocol.native_attacks import filled, nested, with_hole
from streamgauge.rig.attacker.line import Line, dial
from streamgauge.rig.attacker.scene import ANSWER_S, ATTACKER, Carry, Scene

_FRAGMENTS: Final = 5_000
_PINGS: Final = 20_000
_BOMB_MIB: Final = 64
_COMPRESSION: Final = {"Sec-WebSocket-Extensions": "permessage-deflate"}
_AGREED: Final = b"permessage-deflate"
_SOON_S: Final = 2.0


def _with_rsv1(frame: bytes) -> bytes:
    """The frame with a reserved bit, which nobody who has not agreed to anything may set."""
    return bytes([frame[0] | 0x40]) + frame[1:]


_BROKEN: Final = {
    "invalid UTF-8": Frame(Opcode.TEXT, b'{"type":"\xff\xfe"}').serialize(mask=True),
    "binary": Frame(Opcode.BINARY, b"\x00\x01\x02\x03").serialize(mask=True),
    "unmasked": Frame(Opcode.TEXT, b"{}").serialize(mask=False),
    "reserved bits": _with_rsv1(Frame(Opcode.TEXT, b"{}").serialize(mask=True)),
}
_ANSWERED: Final = TERMINAL | {Kind.ACCEPTED, Kind.STARTED, Kind.REFUSED}


async def _answer(scene: Scene, line: Line) -> Try:
    """What was said is refused, done, or ends the connection."""
    message = await line.take(lambda said: scene.kind(said) in _ANSWERED, ANSWER_S)
    if message is not None:
        return scene.answer(message)
    return Try(await line.end(ANSWER_S if not line.is_open else 0))


async def _send(scene: Scene, name: str) -> Seen:
    line = await scene.line()
    await line.send(_BROKEN[name])
    ended = await line.end(ANSWER_S)
    await line.leave()
    return Seen((Try(ended),))


async def _say(scene: Scene, message: bytes) -> Seen:
    line = await scene.line()
    await line.say(message)
    seen = await _answer(scene, line)
    await line.leave()
    return Seen((seen,))


def _holed(scene: Scene) -> bytes:
    asked = scene.request()
    return scene.dialect.start(replace(asked, context=with_hole(asked.context)))


async def _too_large(scene: Scene) -> Seen:
    short = len(scene.dialect.start(scene.request("x")))
    return await _say(scene, scene.dialect.start(scene.request("x" * (scene.largest + 2 - short))))


async def _deep(scene: Scene) -> Seen:
    return await _say(scene, nested(_holed(scene), scene.largest))


async def _not_a_number(scene: Scene) -> Seen:
    return await _say(scene, filled(_holed(scene), b"NaN"))


async def _fragments(scene: Scene) -> Seen:
    """One request, a byte or so a frame, and empty ones between until there are thousands."""
    line = await scene.line()
    message = scene.dialect.start(scene.request())
    parts = [message[at : at + 1] for at in range(len(message))]
    parts += [b""] * (_FRAGMENTS - len(parts))
    frames = [
        Frame(Opcode.CONT if place else Opcode.TEXT, part, fin=place == len(parts) - 1).serialize(mask=True)
        for place, part in enumerate(parts)
    ]
    await line.send(b"".join(frames))
    seen = await _answer(scene, line)
    await line.leave()
    return Seen((seen,))


async def _flood(scene: Scene) -> Seen:
    """Pings without end; who is not closed must be answered as before."""
    line = await scene.line()
    await line.send(Frame(Opcode.PING, b"").serialize(mask=True) * _PINGS)
    ended = await line.end(_SOON_S)
    harm = ""
    if ended == "kept":
        await line.say(scene.dialect.start(scene.request()))
        harm = "" if (await _answer(scene, line)).answer == "correct" else "it answers no more"
    await line.leave()
    return Seen((Try(ended, harm=harm),))


async def _bomb(scene: Scene) -> Seen:
    """What inflates to a thousand times its size, where the server agrees to compression."""
    session = scene.door.session(scene.door.token(ATTACKER), _COMPRESSION)
    reader, writer = await dial(scene.door)
    try:
        async with asyncio.timeout(ANSWER_S):
            writer.write(session.open())
            head = await reader.readuntil(b"\r\n\r\n")
            if _AGREED not in head.lower():
                return Seen(why="the server agrees to no compression", applies=False)
            writer.write(_with_rsv1(Frame(Opcode.TEXT, _deflated()).serialize(mask=True)))
            code = close_code(await reader.read())
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        return Seen((Try("kept" if isinstance(error, TimeoutError) else "cut"),))
    finally:
        writer.transport.abort()
    return Seen((Try(f"close {code}" if code else "cut"),))


def _deflated() -> bytes:
    """A message of zeros, compressed (RFC 7692, 7.2.1)."""
    press = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = bytes(2**20)
    pressed = b"".join([press.compress(zeros) for _ in range(_BOMB_MIB)])
    return pressed + press.flush(zlib.Z_SYNC_FLUSH).removesuffix(b"\x00\x00\xff\xff")


def close_code(frames: bytes) -> int:
    """The code of the close frame among a server's frames; 0 where there is none."""
    at = 0
    while at + 2 <= len(frames):
        opcode, size, at = frames[at] & 0x0F, frames[at + 1] & 0x7F, at + 2
        if extended := {126: 2, 127: 8}.get(size, 0):
            size, at = int.from_bytes(frames[at : at + extended]), at + extended
        if opcode == Opcode.CLOSE and size >= 2:
            return int.from_bytes(frames[at : at + 2])
        at += size
    return 0


CARRIED: Final[Mapping[str, Carry]] = {
    "too large": _too_large,
    "deep nesting": _deep,
    "NaN": _not_a_number,
    **{name: partial(_send, name=name) for name in _BROKEN},
    "many fragments": _fragments,
    "control-frame flood": _flood,
    "compressed bomb": _bomb,
}
