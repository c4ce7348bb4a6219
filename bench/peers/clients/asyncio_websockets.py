"""The peer `websockets`: plain asyncio on uvloop, a task for each socket."""

import asyncio
import json
import time

import uvloop
from websockets.asyncio.client import ClientConnection, connect

from peers.clients.common import OPENING_AT_ONCE, SECONDS, SOCKETS, TARGET, login, request, say_of


async def talk(user: str, socket: ClientConnection, times_s: list[float]) -> None:
    """One socket's life: from its greeting, run after run until the time is over."""
    await socket.recv()
    end = time.perf_counter() + SECONDS
    number, began = 0, time.perf_counter()
    while began < end:
        number += 1
        await socket.send(request(user, number))
        while json.loads(await socket.recv())["type"] != "agent_completed":
            pass
        now = time.perf_counter()
        times_s.append(now - began)
        began = now
    await socket.close()


async def main() -> None:
    """Open all sockets, then talk on all."""
    opening = asyncio.Semaphore(OPENING_AT_ONCE)

    async def dial(user: str) -> ClientConnection:
        async with opening:
            return await connect(TARGET, additional_headers=login(user), compression=None, ping_interval=None)

    users = [f"u0-{number}" for number in range(SOCKETS)]
    sockets = await asyncio.gather(*map(dial, users))
    times_s: list[float] = []
    await asyncio.gather(*(talk(user, socket, times_s) for user, socket in zip(users, sockets, strict=True)))
    say_of(times_s)


if __name__ == "__main__":
    uvloop.run(main())
