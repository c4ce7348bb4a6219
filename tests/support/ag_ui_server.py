"""An AG-UI server that says what was recorded: `python -m tests.support.ag_ui_server`.

    --drop TYPE   leaves out the events of that type
    --mix         answers with the words of whoever asked before

It prints its port, and ends with its standard input. On each connection runs follow
each other, as AG-UI has it.
"""

import argparse
import asyncio
import json
import sys

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.support.ag_ui import Message, recorded_websocket

FRAMES = recorded_websocket()
IDS = ("messageId", "parentMessageId", "toolCallId")
PACE_S = 0.002


class Server:
    """All its connections."""

    def __init__(self, drop: str, *, mix: bool) -> None:
        self._drop = drop
        self._mix = mix
        self._before = ""

    async def behave(self, socket: ServerConnection) -> None:
        try:
            async for message in socket:
                await self._run(socket, json.loads(message))
        except ConnectionClosed:
            pass

    async def _run(self, socket: ServerConnection, asked: Message) -> None:
        words = next(entry["value"] for entry in asked["context"] if entry["description"] == "canary")
        if self._mix:
            words, self._before = self._before or words, words
        for frame in FRAMES:
            if frame["type"] == self._drop:
                continue
            event = frame | {key: f"{frame[key]} of {asked['runId']}" for key in IDS if key in frame}
            event |= {key: asked[key] for key in ("runId", "threadId") if key in frame}
            await socket.send(json.dumps(event).replace("hello-A", words))
            await asyncio.sleep(PACE_S)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--drop", default="")
    parser.add_argument("--mix", action="store_true")
    options = parser.parse_args()
    server = Server(options.drop, mix=options.mix)
    async with serve(server.behave, "127.0.0.1", 0) as listening:
        print(listening.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - it is how the tests find it
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
