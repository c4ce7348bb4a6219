from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from reference_server.server import CannotListenError

if TYPE_CHECKING:
    from reference_server.server import ReferenceServer
    from tests.reference_server.conftest import Kit

SLOW_SCRIPT = [{"do": "sleep", "ms": 300}, {"do": "result"}]
ENDLESS_SCRIPT = [{"do": "sleep", "ms": 60_000}, {"do": "result"}]


async def http(server: ReferenceServer, path: str, method: str = "GET") -> tuple[int, str, str]:
    """A plain request: status, head and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    head, _, body = answer.partition("\r\n\r\n")
    return int(head.split()[1]), head, body


async def refusal(server: ReferenceServer, **options: Any) -> tuple[int, str | None]:
    """The status and Retry-After of a handshake that is refused."""
    with pytest.raises(InvalidStatus) as refused:
        await connect(server.url, **options)
    response = refused.value.response
    return response.status_code, response.headers.get("Retry-After")


def test_health_and_metrics_are_plain_http(kit: Kit) -> None:
    async def work() -> None:
        async with kit.Wire.server() as server, kit.Wire.client(server) as client:
            status, _, body = await http(server, "/healthz")
            health = json.loads(body)
            assert (status, health["status"]) == (200, "ok")
            assert (health["connections"], health["sessions"], health["runs"]) == (1, 1, 0)
            assert health["server_id"] == client.greeting["payload"]["server_id"]
            await client.play()
            status, head, body = await http(server, "/metrics")
            assert status == 200
            assert "Content-Type: text/plain; version=0.0.4" in head
            assert 'streamgauge_server_events_total{type="agent_thinking"} 4.0' in body
            assert "streamgauge_server_connections 1.0" in body
            assert "process_resident_memory_bytes" in body

    kit.go(work())


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/", "GET", 404), ("/ws/", "GET", 404), ("/metrics", "DELETE", 405), ("/ws?x=1", "GET", 401)],
)
def test_other_requests_are_refused(kit: Kit, path: str, method: str, status: int) -> None:
    async def work() -> int:
        async with kit.Wire.server() as server:
            return (await http(server, path, method))[0]

    assert kit.go(work()) == status


def test_a_good_token_without_an_upgrade_is_told_what_is_missing(kit: Kit) -> None:
    async def work() -> int:
        async with kit.Wire.server(max_connections_per_user=1) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            token = kit.a_token()
            writer.write(f"GET /ws HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            status = int((await reader.read()).split()[1])
            writer.close()
            async with kit.Wire.client(server):  # its place is free again
                return status

    assert kit.go(work()) == 426


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({}, 401),
        ({"additional_headers": {"Authorization": "Bearer x.y.z"}}, 401),
        ({"additional_headers": [("Authorization", "Bearer x"), ("Authorization", "Bearer y")]}, 401),
        ({"subprotocols": ["jwt-auth", "jwt.eHg"]}, 401),
    ],
)
def test_without_a_good_token_there_is_no_upgrade(kit: Kit, options: Any, status: int) -> None:
    async def work() -> None:
        async with kit.Wire.server() as server:
            assert await refusal(server, **options) == (status, None)
            assert await refusal(server, additional_headers=kit.bearer(valid_s=-1)) == (status, None)
            assert kit.sample(server.metrics, 'refusals_total{status="401"}') == 2

    kit.go(work())


def test_browsers_bring_the_token_as_a_subprotocol(kit: Kit) -> None:
    async def work() -> None:
        async with kit.Wire.server() as server:
            token = base64.urlsafe_b64encode(kit.a_token("u7").encode()).decode().rstrip("=")
            offered: Any = ["jwt-auth", f"jwt.{token}"]
            async with connect(server.url, subprotocols=offered) as socket:
                assert socket.subprotocol == "jwt-auth"
                assert json.loads(await socket.recv())["payload"]["user_id"] == "u7"

    kit.go(work())


def test_origins_outside_the_list_are_refused(kit: Kit) -> None:
    async def work() -> None:
        async with kit.Wire.server(origins=("https://ours",)) as server:
            headers = kit.bearer()
            assert await refusal(server, additional_headers=headers, origin="https://theirs") == (403, None)
            async with kit.Wire.client(server, origin="https://ours"), kit.Wire.client(server):
                pass

    kit.go(work())


def test_too_many_connections_of_one_user_are_refused(kit: Kit) -> None:
    async def work() -> None:
        async with kit.Wire.server(max_connections_per_user=2) as server:
            async with kit.Wire.client(server), kit.Wire.client(server), kit.Wire.client(server, "u2"):
                assert await refusal(server, additional_headers=kit.bearer()) == (429, None)
            await kit.eventually(lambda: kit.sample(server.metrics, "connections") == 0)
            async with kit.Wire.client(server):
                pass

    kit.go(work())


def test_handshakes_at_the_same_moment_do_not_pass_the_limit_together(kit: Kit) -> None:
    async def work() -> list[bool]:
        async with kit.Wire.server(max_connections_per_user=3) as server:
            opened = await asyncio.gather(
                *(connect(server.url, additional_headers=kit.bearer()) for _ in range(12)),
                return_exceptions=True,
            )
            sockets = [socket for socket in opened if not isinstance(socket, BaseException)]
            await asyncio.gather(*(socket.close() for socket in sockets))
            return [isinstance(socket, InvalidStatus) for socket in opened]

    assert sum(kit.go(work())) == 9


def test_a_full_server_says_when_to_come_again(kit: Kit) -> None:
    async def work() -> None:
        async with kit.Wire.server(max_connections=1) as server, kit.Wire.client(server):
            assert await refusal(server, additional_headers=kit.bearer("u2")) == (503, "5")

    kit.go(work())


def test_compression_is_never_negotiated(kit: Kit) -> None:
    async def work() -> None:
        async with (
            kit.Wire.server() as server,
            kit.Wire.client(server, compression="deflate") as client,
        ):
            assert client.socket.response is not None
            assert "Sec-WebSocket-Extensions" not in client.socket.response.headers

    kit.go(work())


def test_a_handshake_that_says_nothing_is_closed_in_time(kit: Kit) -> None:
    async def work() -> bytes:
        async with kit.Wire.server(open_timeout_s=0.1) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET /ws")
            try:
                return await asyncio.wait_for(reader.read(), 5)
            except ConnectionResetError:
                return b""
            finally:
                writer.close()

    assert kit.go(work()) == b""


def test_draining_lets_runs_finish_and_takes_nothing_new(kit: Kit) -> None:
    async def work() -> None:
        async with kit.Wire.server(drain_s=5.0) as server, kit.Wire.client(server) as client:
            await client.start(options={"script": SLOW_SCRIPT})
            await client.hear_until("agent_started")
            draining = asyncio.create_task(server.drain())
            await asyncio.sleep(0.05)
            assert await refusal(server, additional_headers=kit.bearer("u2")) == (503, "5")
            status, _, body = await http(server, "/healthz")
            assert (status, json.loads(body)["status"]) == (503, "draining")
            await client.say("start_agent", user_request="hi", request_id="late")
            error = (await client.hear_until("error"))[-1]["payload"]
            assert (error["code"], error["request_id"]) == ("draining", "late")
            assert (await client.hear_until("agent_completed"))[-1]["offset"] == 5
            assert (await client.hear())["type"] == "run_report"
            assert await client.closed() == 1001
            await draining

    kit.go(work())


def test_draining_does_not_wait_for_ever(kit: Kit) -> None:
    async def work() -> float:
        async with kit.Wire.server(drain_s=0.1) as server, kit.Wire.client(server) as client:
            await client.start(options={"script": ENDLESS_SCRIPT})
            silent = await asyncio.open_connection("127.0.0.1", server.port)  # a handshake that never comes
            started = time.monotonic()
            draining = asyncio.create_task(server.drain())
            assert await client.closed() == 1001
            await draining
            assert kit.sample(server.metrics, 'runs_total{outcome="cancelled"}') == 1
            silent[1].close()
            return time.monotonic() - started

    assert 0.1 <= kit.go(work()) < 5


def test_a_port_in_use_is_told_with_its_way_out(kit: Kit) -> None:
    async def work() -> None:
        async with kit.Wire.server() as server:
            with pytest.raises(
                CannotListenError, match=rf"port {server.port} on 127\.0\.0\.1 is in use.*--port"
            ):
                async with kit.Wire.server(port=server.port):
                    pass

    kit.go(work())


def test_an_address_that_is_not_ours_is_told(kit: Kit) -> None:
    async def work() -> None:
        with pytest.raises(CannotListenError, match=r"cannot listen on 192\.0\.2\.1"):
            async with kit.Wire.server(host="192.0.2.1", measure=False):
                pass

    kit.go(work())


def test_everything_returns_to_its_baseline(kit: Kit) -> None:
    async def work() -> None:
        async with kit.Wire.server() as server:
            names = ("connections", "sessions", "runs_active", "tasks")
            before = [kit.sample(server.metrics, name) for name in names]
            for user in ("u1", "u2", "u3"):
                async with kit.Wire.client(server, user) as client:
                    await client.play()
                    assert kit.sample(server.metrics, "connections") == 1
            await kit.eventually(lambda: [kit.sample(server.metrics, name) for name in names] == before)

    kit.go(work())


def test_a_server_without_faults_does_not_import_them(kit: Kit) -> None:
    code = (
        "import sys; from reference_server.server import ReferenceServer; "
        "from reference_server.settings import Settings; "
        "ReferenceServer(Settings(secret='x', measure=True)); "
        "print(any('faults' in name for name in sys.modules))"
    )
    assert kit.python("-c", code).stdout == "False\n"


def test_the_server_knows_nothing_of_the_instrument(kit: Kit) -> None:
    code = (
        "import sys; import reference_server.cli; "
        "print([n for n in sys.modules if n.partition('.')[0] in ('streamgauge', 'locust', 'gevent')])"
    )
    assert kit.python("-c", code).stdout == "[]\n"
