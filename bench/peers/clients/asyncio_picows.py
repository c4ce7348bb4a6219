"""The peer `picows`: its callbacks on uvloop, no task for a socket; the callback asks again."""

import asyncio
import json
import time
from typing import Final

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from peers.clients.common import OPENING_AT_ONCE, SECONDS, SOCKETS, TARGET, login, request, say_of

TIMES_S: Final[list[float]] = []


class Talk(WSListener):
    """One socket."""

    def __init__(self, user: str) -> None:
        super().__init__()
        self.user = user
        self.number = 0
        self.began = self.end = 0.0

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """The greeting begins the first run, an end the next."""
        if frame.msg_type != WSMsgType.TEXT:
            return
        kind = json.loads(frame.get_payload_as_bytes())["type"]
        if kind == "agent_completed":
            now = time.perf_counter()
            TIMES_S.append(now - self.began)
            self.ask(transport, now)
        elif kind == "connection_established":
            now = time.perf_counter()
            self.end = now + SECONDS
            self.ask(transport, now)

    def ask(self, transport: WSTransport, now: float) -> None:
        """The next request, or the end."""
        if now >= self.end:
            transport.send_close()
            transport.disconnect()
            return
        self.number += 1
        self.began = now
        transport.send(WSMsgType.TEXT, request(self.user, self.number).encode())


async def main() -> None:
    """Open all sockets, and wait until all have closed."""
    opening = asyncio.Semaphore(OPENING_AT_ONCE)

    async def dial(user: str) -> WSTransport:
        async with opening:
            transport, _ = await ws_connect(lambda: Talk(user), TARGET, extra_headers=login(user))
            return transport

    transports = await asyncio.gather(*(dial(f"u0-{number}") for number in range(SOCKETS)))
    await asyncio.gather(*(transport.wait_disconnected() for transport in transports))
    say_of(TIMES_S)


if __name__ == "__main__":
    uvloop.run(main())
