"""Spoils what a reference server says: `python -m tests.support.hostile_server UPSTREAM`.

Each user meets one of FAULTS, by the number of its name, and once: in its first run. With
`--unusual` nobody meets any, but every message comes in fragments, and every frame byte by byte.
It prints its port, and ends with its standard input. Every event keeps its place in the count
of its run and connection, so that a spoiled one is not two faults.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

Message = dict[str, Any]
Said = Message | bytes  # bytes are a frame as it is sent
LIMIT = 65_536  # of a message, by the plan's default
FRAMES = {
    "binary": Frame(Opcode.BINARY, b"\0\0").serialize(mask=False),
    "oversized": Frame(Opcode.TEXT, b"x" * (LIMIT + 1)).serialize(mask=False),
    "far oversized": Frame(Opcode.TEXT, b"x" * (9 * LIMIT)).serialize(mask=False),
    "masked": Frame(Opcode.TEXT, b"{}").serialize(mask=True),
    "reserved bits": b"\xc1\x02{}",
}


class Spoiler:
    """What one user is told instead of what the server said."""

    def __init__(self, fault: str, others_canary: Callable[[], str]) -> None:
        self._fault = fault
        self._others_canary = others_canary
        self._struck = False
        self._offset = 0
        self._seqs: Counter[str] = Counter()

    def spoil(self, message: Message) -> Iterator[Said]:
        for said in self._spoiled(message):
            if isinstance(said, dict) and "seq" in said:
                again = said.pop("again", False)
                self._offset += not again
                self._seqs[said["run_id"]] += not again
                said |= {"seq": self._seqs[said["run_id"]], "offset": self._offset}
            yield said

    def _spoiled(self, message: Message) -> list[Said]:
        kind = message["type"]
        aside = kind == "agent_thinking" and message["payload"]["source"] == "agent"
        spoiled: list[Said] | None = None
        if self._struck:
            pass
        elif aside:
            spoiled = self._instead_of_a_thought(message)
        elif kind == "tool_completed" and self._fault == "tool never completed":
            spoiled = []
        elif kind == "agent_completed":
            spoiled = self._instead_of_the_end(message)
        if spoiled is None:
            return [message]
        self._struck = True
        return spoiled

    def _instead_of_a_thought(self, message: Message) -> list[Said] | None:
        match self._fault:
            case "duplicate":
                return [message, {**message, "again": True}]
            case "foreign user":
                return [{**message, "user_id": "somebody-else"}]
            case "foreign canary" if canary := self._others_canary():
                return [{**message, "trace": {"of": canary}}]
            case _:
                return None

    def _instead_of_the_end(self, message: Message) -> list[Said] | None:
        payload = message["payload"]
        match self._fault:
            case "no end":
                return []
            case "wrong hash":
                return [{**message, "payload": {**payload, "answer_sha256": "0" * 64}}]
            case "after the end":
                late = {"type": "agent_thinking", "payload": {"reasoning": "oh", "source": "agent"}}
                return [message, {**message, **late}]
            case fault if fault in FRAMES:
                return [message, FRAMES[fault]]
            case _:
                return None


RULES = {  # what each fault is found by
    "no end": "complete",
    "duplicate": "seq-contiguous",
    "foreign user": "isolation-envelope",
    "foreign canary": "isolation-canary",
    "tool never completed": "tool-pairing",
    "wrong hash": "partial-integrity",
    "after the end": "terminal-last",
    **dict.fromkeys(FRAMES, "protocol"),
}
FAULTS = (*RULES,)


def fault_of(user: str) -> str:
    """The fault that a user meets: "" for those whose number is beyond the faults."""
    _, _, number = user.rpartition("-")
    return dict(enumerate(FAULTS, 1)).get(int(number), "") if number.isdecimal() else ""


class Proxy:
    """All connections."""

    def __init__(self, upstream: str, *, unusual: bool) -> None:
        self._upstream = upstream
        self._unusual = unusual
        self._canaries: dict[str, str] = {}

    async def behave(self, client: ServerConnection) -> None:
        assert client.request is not None
        login = {"Authorization": client.request.headers["Authorization"]}
        with suppress(ConnectionClosed):
            async with connect(self._upstream, additional_headers=login, compression=None) as server:
                greeting = await server.recv()
                user = json.loads(greeting)["payload"]["user_id"]
                await client.send(greeting, text=True)
                listening = asyncio.create_task(self._listen(user, client, server.send))
                try:
                    await self._speak(user, client, server.recv)
                finally:
                    listening.cancel()

    async def _listen(self, user: str, client: ServerConnection, say: Callable[..., Any]) -> None:
        with suppress(ConnectionClosed):
            async for said in client:
                message = json.loads(said)
                if message["type"] == "start_agent":
                    self._canaries[user] = message["payload"]["context"]["canary"]
                await say(said)

    async def _speak(self, user: str, client: ServerConnection, hear: Callable[[], Any]) -> None:
        fault = "" if self._unusual else fault_of(user)
        spoiler = Spoiler(fault, lambda: self._canary_beside(user))
        while True:
            for said in spoiler.spoil(json.loads(await hear())):
                if isinstance(said, bytes):
                    client.transport.write(said)
                elif self._unusual:
                    await _dribble(client, json.dumps(said).encode())
                else:
                    await client.send(json.dumps(said))

    def _canary_beside(self, user: str) -> str:
        return next((canary for name, canary in self._canaries.items() if name != user), "")


async def _dribble(client: ServerConnection, payload: bytes) -> None:
    """A text in three fragments, a ping among them, each byte in a write of its own."""
    third = len(payload) // 3
    frames = (
        Frame(Opcode.TEXT, payload[:third], fin=False),
        Frame(Opcode.CONT, payload[third : 2 * third], fin=False),
        Frame(Opcode.PING, b"?"),
        Frame(Opcode.CONT, payload[2 * third :]),
    )
    for byte in b"".join(frame.serialize(mask=False) for frame in frames):
        client.transport.write(bytes([byte]))
        await asyncio.sleep(0)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("upstream")
    parser.add_argument("--unusual", action="store_true")
    options = parser.parse_args()
    proxy = Proxy(options.upstream, unusual=options.unusual)
    async with serve(proxy.behave, "127.0.0.1", 0, compression=None) as listening:
        print(listening.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - it is how the tests find it
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
