"""What a reader does not take is counted as lost, and delays no agent."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs
from websockets.frames import Opcode

from tests.support.client_talk import SLOW_SCRIPT, masked

if TYPE_CHECKING:
    from reference_server.server import ReferenceServer
    from reference_server.session import Session
    from tests.reference_server.conftest import Kit

BULK = [{"do": "tool", "name": "bulk", "bytes": 32_000}] * 600


def stalled() -> socket.socket:
    """A socket that can take very little."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    narrow.setblocking(False)
    return narrow


def bulk_start(tools: int) -> bytes:
    """A frame that starts a run of about 32 kB of events for each tool."""
    script = [*BULK[:tools], {"do": "result"}]
    start = {"user_request": "hi", "request_id": "q", "options": {"script": script}}
    return masked(Opcode.TEXT, json.dumps({"type": "start_agent", "payload": start}).encode())


def count_posts(server: ReferenceServer) -> list[Any]:
    """Everything that sessions post from now on, which is all but events."""
    posted: list[Any] = []
    opened = server.gateway.open_session

    def open_session(*arguments: str) -> Session:
        session = opened(*arguments)
        post = session.post

        def counted(message: Any) -> None:
            posted.append(message)
            post(message)

        session.post = counted  # type: ignore[method-assign]
        return session

    server.gateway.open_session = open_session  # type: ignore[assignment, method-assign]
    return posted


def test_a_burst_that_overflows_the_outbox_closes_the_connection_and_delays_no_agent(kit: Kit) -> None:
    tools = [{"do": "tool", "name": f"tool {n}", "ms": 1} for n in range(60)]
    script = [{"do": "parallel", "steps": tools}, {"do": "result"}]

    async def work() -> tuple[int | None, float, float]:
        async with kit.Wire.server(outbox_messages=50, window_s=5.0) as server:
            async with kit.Wire.client(server) as client:
                await client.start(options={"script": script})
                code = await client.closed()
            await kit.eventually(lambda: not server.gateway.runs)
            return (
                code,
                kit.sample(server.metrics, 'runs_total{outcome="completed"}'),
                kit.sample(server.metrics, "outbox_overflows_total"),
            )

    assert kit.go(work()) == (4413, 1, 1)


@pytest.mark.parametrize(
    ("settings", "code", "tools", "reasons"),
    [
        pytest.param(
            {"outbox_bytes": 200_000}, 4413, 600, {"overflow", "no_reader", "write_error"}, id="overflow"
        ),
        pytest.param({"heartbeat_s": 0.4}, 4408, 150, {"write_error"}, id="queued at the close"),
    ],
)
def test_every_message_is_received_or_counted_as_lost(
    kit: Kit, settings: dict[str, Any], code: int, tools: int, reasons: set[str]
) -> None:
    async def work() -> list[Any]:
        async with kit.Wire.server(**{"window_s": 30.0, "outbox_bytes": 50_000_000, **settings}) as server:
            narrow = stalled()
            await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", server.port))
            posted = count_posts(server)
            with capture_logs() as logs:
                async with kit.Wire.raw_client(server, sock=narrow, limit=1_024) as raw:
                    await raw.send_bytes(bulk_start(tools))
                    await kit.eventually(lambda: kit.sample(server.metrics, "connections") == 0)
                    await kit.eventually(lambda: not server.gateway.runs)
                    received = await raw.texts()
            assert kit.sample(server.metrics, f'closes_total{{by="server",code="{code}"}}') == 1
            server.gateway.tell_losses()
            lost = kit.total(server.metrics, "delivery_failures_total")
            said = kit.total(server.metrics, "events_total") + len(posted)
            assert received + lost == said
            assert received > 0
            for reason in reasons:
                assert kit.sample(server.metrics, f'delivery_failures_total{{reason="{reason}"}}') > 0
            return [line for line in logs if line["event"] == "messages_undelivered"]

    warnings = kit.go(work())
    assert 1 <= len(warnings) <= 2
    assert {warning["log_level"] for warning in warnings} == {"warning"}


def test_the_servers_end_tells_what_no_sessions_end_has_told(kit: Kit) -> None:
    async def work() -> float:
        async with kit.Wire.server(window_s=60.0) as server:
            async with kit.Wire.client(server) as client:
                run = {"script": SLOW_SCRIPT}
                await client.start(options=run)
                for _ in range(3):  # all that comes before the sleep
                    await client.hear()
            await kit.eventually(lambda: kit.sample(server.metrics, "connections") == 0)
        return kit.sample(server.metrics, 'delivery_failures_total{reason="no_reader"}')

    with capture_logs() as logs:
        lost = kit.go(work())
    told = [line for line in logs if line["event"] == "messages_undelivered"]
    assert [(line["messages"], line["no_reader"]) for line in told] == [(lost, lost)]
    assert lost == 2  # the end of the run, and its report


def test_a_reader_that_leaves_well_loses_nothing(kit: Kit) -> None:
    async def work() -> None:
        async with kit.Wire.server() as server:
            async with kit.Wire.client(server) as client:
                await client.start()
                await client.hear_until("run_report")
            await kit.eventually(lambda: kit.sample(server.metrics, "connections") == 0)
            assert kit.total(server.metrics, "delivery_failures_total") == 0

    with capture_logs() as logs:
        kit.go(work())
    assert "messages_undelivered" not in {line["event"] for line in logs}


def test_a_reader_that_takes_nothing_is_aborted_and_delays_no_agent(kit: Kit) -> None:
    async def work() -> None:
        async with kit.Wire.server(outbox_bytes=200_000, window_s=30.0) as server:
            narrow = stalled()
            await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", server.port))
            async with (
                kit.Wire.raw_client(server, sock=narrow, limit=1_024) as raw,
                kit.Wire.client(server, "u2"),
            ):
                await raw.send_bytes(bulk_start(len(BULK)))
                await kit.eventually(
                    lambda: kit.sample(server.metrics, 'runs_total{outcome="completed"}') == 1
                )
                assert kit.sample(server.metrics, 'closes_total{by="server",code="4413"}') == 1
                await kit.eventually(lambda: kit.sample(server.metrics, "connections") == 1)
                assert kit.sample(server.metrics, 'delivery_failures_total{reason="no_reader"}') > 0

    kit.go(work())
