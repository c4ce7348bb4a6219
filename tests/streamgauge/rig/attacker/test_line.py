import asyncio

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode

from streamgauge.protocol.login import Login
from streamgauge.rig.attacker.line import Door, Line
from tests.support.command import SECRET

OWN = "sgcanaryOfTheAttackerAndNo1"
THEIRS = b"sgcanaryOfSomebodyWhoIsAway1"


def frame(opcode: Opcode, payload: bytes) -> bytes:
    return Frame(opcode, payload).serialize(mask=False)


def heard(said: bytes) -> Line:
    """A line to a server that says that, after the line's own canary in a ping, and leaves."""

    async def say(client: ServerConnection) -> None:
        client.transport.write(frame(Opcode.PING, OWN.encode() + b" ") + said)
        await client.wait_closed()

    async def play() -> Line:
        async with serve(say, "127.0.0.1", 0, close_timeout=0.2) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            door = Door(f"ws://127.0.0.1:{port}/", Login(), SECRET, None, 2)
            line = await Line.open(door, door.token("attacker"), canary=OWN)
            await line.take(lambda message: message == b"last", 0.5)
            line.drop()
            return line

    return asyncio.run(play())


@pytest.mark.parametrize(
    ("said", "leaking"),
    [
        pytest.param(frame(Opcode.TEXT, THEIRS), THEIRS, id="text"),
        pytest.param(frame(Opcode.BINARY, THEIRS), THEIRS, id="binary"),
        pytest.param(frame(Opcode.TEXT, b"\xff" + THEIRS), b"\xff" + THEIRS, id="invalid UTF-8"),
        pytest.param(frame(Opcode.PING, THEIRS), THEIRS, id="ping"),
        pytest.param(frame(Opcode.PONG, THEIRS), THEIRS, id="pong"),
        pytest.param(frame(Opcode.CLOSE, b"\x03\xe9" + THEIRS), b"\x03\xe9" + THEIRS, id="close"),
        pytest.param(b"\xc1\x1c" + THEIRS, b"\xc1\x1c" + THEIRS, id="refused frame"),
    ],
)
def test_whatever_bears_a_canary_of_others_is_kept(said: bytes, leaking: bytes) -> None:
    line = heard(said + frame(Opcode.TEXT, b"last"))
    assert (line.leaked, line.leaking) == (THEIRS.decode(), leaking)
    assert line.leaked_ns > 0


def test_what_bears_none_but_its_own_is_not() -> None:
    line = heard(frame(Opcode.BINARY, OWN.encode()) + frame(Opcode.TEXT, b"last"))
    assert (line.leaked, line.leaking) == ("", b"")
