from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING

import pytest
from websockets.frames import Frame, Opcode

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit

FLOOD = [*[{"do": "tool", "name": "dump", "bytes": 30_000}] * 300, {"do": "result"}]  # 9 MB
START = {"user_request": "hi", "request_id": "q", "options": {"script": FLOOD}}
FLOODED = Frame(Opcode.TEXT, json.dumps({"type": "start_agent", "payload": START}).encode())


@pytest.mark.parametrize("faults", [(), ("slow-starves-all",)])
def test_nobody_hears_anything_while_one_does_not_read(kit: Kit, faults: tuple[str, ...]) -> None:
    async def work() -> tuple[bool, float]:
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        narrow.setblocking(False)
        async with kit.Wire.server(faults=faults, outbox_bytes=50_000_000) as server:
            await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", server.port))
            async with (
                kit.Wire.client(server, "reader") as reader,
                kit.Wire.raw_client(server, "stalled", sock=narrow, limit=1_024) as stalled,
            ):
                await stalled.send_frame(FLOODED)
                await kit.eventually(lambda: kit.total(server.metrics, "runs_total") == 1)
                try:
                    async with asyncio.timeout(1):
                        await reader.play()
                    heard = True
                except TimeoutError:
                    heard = False
                return heard, kit.sample(server.metrics, 'fault_strikes_total{fault="slow-starves-all"}')

    heard, strikes = kit.go(work())
    assert heard is not bool(faults)
    assert bool(strikes) is bool(faults)
