from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

from reference_server.channel import Channel
from reference_server.close import RATE_LIMIT, SLOW_CONSUMER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from websockets.asyncio.client import ClientConnection
    from websockets.asyncio.server import ServerConnection

    from tests.reference_server.conftest import Kit


def speak(
    kit: Kit,
    serving: Callable[[Channel], Awaitable[None]],
    talking: Callable[[ClientConnection], Awaitable[Any]],
) -> Any:
    async def handle(connection: ServerConnection) -> None:
        assert isinstance(connection, Channel)
        await serving(connection)

    async def work() -> Any:
        async with serve(
            handle, "127.0.0.1", 0, create_connection=Channel, compression=None, ping_interval=None
        ) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            async with connect(f"ws://127.0.0.1:{port}", ping_interval=None) as client:
                return await talking(client)

    return kit.go(work())


def test_several_messages_are_written_as_texts_of_their_own(kit: Kit) -> None:
    async def serving(channel: Channel) -> None:
        assert channel.write([b"one", b"x" * 70_000, "gr\u00fc\u00df".encode()])
        await channel.wait_closed()

    async def talking(client: ClientConnection) -> list[Any]:
        return [await client.recv() for _ in range(3)]

    assert speak(kit, serving, talking) == ["one", "x" * 70_000, "gr\u00fc\u00df"]


def test_a_close_comes_after_what_was_written_and_stops_writing(kit: Kit) -> None:
    async def serving(channel: Channel) -> None:
        channel.write([b"last words"])
        channel.shut(SLOW_CONSUMER)
        channel.shut(RATE_LIMIT)
        assert not channel.write([b"too late"])
        channel.beat()
        await channel.wait_closed()

    async def talking(client: ClientConnection) -> tuple[Any, int | None]:
        text = await client.recv()
        await client.wait_closed()
        return text, client.close_code

    assert speak(kit, serving, talking) == ("last words", 4413)


def test_every_frame_and_the_loss_are_told(kit: Kit) -> None:
    told: list[str] = []

    async def serving(channel: Channel) -> None:
        channel.on_frame = lambda: told.append("frame")
        channel.on_lost = lambda: told.append("lost")
        channel.beat()
        await channel.wait_closed()

    async def talking(client: ClientConnection) -> None:
        await client.send(["a", "message", "in", "fragments"])
        await (await client.ping())
        await asyncio.sleep(0.02)

    speak(kit, serving, talking)
    assert told == ["frame"] * 4 + ["lost"]  # the pong, the message, the ping and the close


@pytest.mark.parametrize("reads", [True, False])
def test_what_a_failed_socket_did_not_take_is_told(kit: Kit, reads: bool) -> None:
    unsent: list[int] = []

    async def serving(channel: Channel) -> None:
        channel.on_ended = unsent.append
        channel.write([b"x" * 65_536] * 200)
        await channel.wait_closed()

    async def talking(client: ClientConnection) -> None:
        if reads:
            for _ in range(200):
                await client.recv()
        else:
            client.transport.pause_reading()
            await asyncio.sleep(0.1)
        client.transport.abort()  # with something unread, this resets the connection

    speak(kit, serving, talking)
    assert len(unsent) == 1
    assert (unsent[0] == 0) == reads
