"""One client's talk with the reference server, and what such talks are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from websockets.frames import Frame, Opcode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.reference_server.conftest import Client, Kit

SLOW_SCRIPT = [{"do": "sleep", "ms": 60_000}, {"do": "result"}]


def speak(kit: Kit, talk: Callable[[Client], Awaitable[Any]], **settings: Any) -> Any:
    """One client's talk with a server."""

    async def work() -> Any:
        async with kit.Wire.server(**settings) as server, kit.Wire.client(server) as client:
            return await talk(client)

    return kit.go(work())


def masked(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    """A frame as clients send it."""
    return Frame(opcode, data, fin).serialize(mask=True)
