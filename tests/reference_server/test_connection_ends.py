"""Who ends a connection, with which code, and how it is counted; and what outlives it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from tests.support.client_talk import SLOW_SCRIPT, masked

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit

DEEP = b'{"type":"ping","payload":' + b"[" * 60_000
FRAGMENTS = masked(Opcode.TEXT, b" ", fin=False) + masked(Opcode.CONT, b" ", fin=False) * 5_000


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(masked(Opcode.BINARY, b"{}"), 1003, id="binary"),
        pytest.param(masked(Opcode.TEXT, b"\xff\xfe"), 1007, id="no UTF-8"),
        pytest.param(masked(Opcode.TEXT, b"hello"), 1007, id="no JSON"),
        pytest.param(masked(Opcode.TEXT, b'{"type":"ping","payload":{"client_ns":NaN}}'), 1007, id="NaN"),
        pytest.param(masked(Opcode.TEXT, DEEP), 1007, id="deep nesting"),
        pytest.param(masked(Opcode.TEXT, b" " * 65_537), 1009, id="one byte too large"),
        pytest.param(FRAGMENTS, 1009, id="too many fragments"),
        pytest.param(Frame(Opcode.TEXT, b"{}").serialize(mask=False), 1002, id="unmasked"),
        pytest.param(bytes([0xC1, 0x80, 0, 0, 0, 0]), 1002, id="reserved bit"),
        pytest.param(bytes([0x83, 0x80, 0, 0, 0, 0]), 1002, id="reserved opcode"),
    ],
)
def test_what_breaks_the_protocol_closes_the_connection(kit: Kit, data: bytes, code: int) -> None:
    async def work() -> tuple[int | None, int]:
        async with kit.Wire.server() as server, kit.Wire.client(server, "bystander") as bystander:
            async with kit.Wire.raw_client(server) as raw:
                await raw.send_bytes(data)
                found = await raw.closed()
            await kit.eventually(lambda: kit.sample(server.metrics, "connections") == 1)
            assert kit.sample(server.metrics, f'closes_total{{by="server",code="{code}"}}') == 1
            assert kit.total(server.metrics, "closes_total") == 1
            return found, len(await bystander.play())

    assert kit.go(work()) == (code, 11)


@pytest.mark.parametrize(
    ("code", "label"), [(1000, "1000"), (1001, "1001"), (1009, "1009"), (3000, "private"), (4413, "private")]
)
def test_a_clients_close_is_counted_apart_from_the_servers(kit: Kit, code: int, label: str) -> None:
    async def work() -> None:
        async with kit.Wire.server() as server:
            async with kit.Wire.client(server) as client:
                await client.socket.close(code)
            await kit.eventually(lambda: kit.sample(server.metrics, "connections") == 0)
            assert kit.sample(server.metrics, f'closes_total{{by="client",code="{label}"}}') == 1
            assert kit.total(server.metrics, "closes_total") == 1

    kit.go(work())


def test_a_connection_that_breaks_off_is_counted_as_a_close_by_nobody(kit: Kit) -> None:
    async def work() -> None:
        async with kit.Wire.server() as server:
            async with kit.Wire.client(server) as client:
                client.socket.transport.abort()
            await kit.eventually(lambda: kit.sample(server.metrics, "connections") == 0)
            assert kit.sample(server.metrics, 'closes_total{by="nobody",code="1006"}') == 1
            assert kit.total(server.metrics, "closes_total") == 1

    kit.go(work())


def test_a_drain_counts_its_closes(kit: Kit) -> None:
    async def work() -> None:
        async with (
            kit.Wire.server() as server,
            kit.Wire.client(server) as client,
            kit.Wire.client(server, "u2"),
        ):
            await server.drain()
            assert await client.closed() == 1001
            assert kit.sample(server.metrics, 'closes_total{by="server",code="1001"}') == 2
            assert kit.total(server.metrics, "closes_total") == 2

    kit.go(work())


def test_a_dead_peer_is_closed_after_two_heartbeats(kit: Kit) -> None:
    async def work() -> tuple[int | None, float]:
        async with kit.Wire.server(heartbeat_s=0.05) as server, kit.Wire.raw_client(server) as raw:
            started = time.monotonic()
            return await raw.closed(), time.monotonic() - started

    code, elapsed_s = kit.go(work())
    assert code == 4408
    assert elapsed_s >= 0.14


def test_a_token_that_expires_ends_the_connection(kit: Kit) -> None:
    async def work() -> int | None:
        headers = kit.bearer(valid_s=1.2)
        async with (
            kit.Wire.server() as server,
            kit.Wire.client(server, additional_headers=headers) as client,
        ):
            return await client.closed()

    assert kit.go(work()) == 4401


def test_runs_outlive_their_connection_for_the_sessions_window(kit: Kit) -> None:
    async def work() -> None:
        async with kit.Wire.server(window_s=0.2) as server:
            async with kit.Wire.client(server) as client:
                await client.start(options={"script": SLOW_SCRIPT})
            await kit.eventually(lambda: kit.sample(server.metrics, "connections") == 0)
            assert kit.sample(server.metrics, "runs_active") == 1
            assert kit.sample(server.metrics, "sessions") == 1
            await kit.eventually(lambda: kit.sample(server.metrics, "sessions") == 0)
            await kit.eventually(lambda: not server.gateway.runs)
            assert kit.sample(server.metrics, 'runs_total{outcome="cancelled"}') == 1

    kit.go(work())


def test_a_server_that_fails_says_so(kit: Kit) -> None:
    async def work() -> int | None:
        async with kit.Wire.server() as server, kit.Wire.client(server) as client:
            server.gateway.answer = None  # type: ignore[assignment, method-assign]
            await client.say("ping", client_ns=1)
            return await client.closed()

    assert kit.go(work()) == 1011


def test_the_client_may_leave_at_any_time(kit: Kit) -> None:
    async def work() -> None:
        async with kit.Wire.server() as server:
            async with kit.Wire.client(server) as client:
                await client.start()
                client.socket.transport.abort()
                with pytest.raises(ConnectionClosed):
                    await client.hear_until("agent_completed")
            await kit.eventually(lambda: not server.gateway.sessions)
            await kit.eventually(lambda: not server.gateway.runs)

    kit.go(work())
