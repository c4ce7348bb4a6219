"""The server as a whole: puts the parts together, listens, and drains."""

import asyncio
import contextlib
import errno
import logging
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Self

import structlog
from websockets.asyncio.server import Server as WebSocketServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHeader
from websockets.headers import parse_subprotocol
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from reference_server import plain_http
from reference_server.admission import Knock, Occupancy, Refusal, admit
from reference_server.auth import SUBPROTOCOL
from reference_server.bridge import AgentWebSocketBridge
from reference_server.channel import Channel
from reference_server.clock import Clock, clock_id
from reference_server.close import DRAINING, GRACE_S
from reference_server.connection import Connection, ServerName
from reference_server.core import AgentExecutionCore
from reference_server.gateway import Gateway, new_id
from reference_server.metrics import Metrics
from reference_server.parts import Parts
from reference_server.registry import AgentRegistry
from reference_server.scripted import ScriptedAgent
from reference_server.settings import Settings
from reference_server.slow import slowed
from reference_server.sql_agent import SqlAgent
from reference_server.tls import server_context
from reference_server.tools import ToolDispatcher

log = structlog.get_logger(part="server")

BACKLOG = 1_024
# Memory of one connection: these two bound what a client that only writes, or never reads, can make us hold.
MAX_QUEUED_FRAMES = 8
WRITE_BUFFER_BYTES = 0  # beyond what the socket takes: see Channel.write, and the kernel buffers by itself
TLS_WRITE_BUFFER_BYTES = 1  # uvloop's TLS takes an empty buffer for a full one where the limit is 0


class CannotListenError(Exception):
    """The address cannot be bound; the text says what, where and what to do."""


class ReferenceServer:
    """One server: `async with ReferenceServer(settings) as server:` listens, and leaving it drains.

    Making it raises ValueError where its certificate cannot be used, entering it `CannotListenError`.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self._clock = clock or Clock()
        self._parts = parts = self._choose_parts()
        bridge = AgentWebSocketBridge(self._clock, self.metrics, parts.emit)
        dispatcher = ToolDispatcher()
        self.registry = AgentRegistry(dispatcher, self._clock, settings.tool_timeout_s)
        self.registry.register("scripted", parts.served_by(ScriptedAgent(parts.tool, parts.in_thread)))
        self.registry.register("sql", SqlAgent())
        self.registry.set_websocket_manager(bridge)
        core = AgentExecutionCore(self.registry, dispatcher, bridge, self._clock, settings.run_timeout_s)
        self.gateway = Gateway(settings, core, bridge, self.metrics, self._clock, parts)
        self._connections: set[Connection] = set()
        self._admitted: Counter[str] = Counter()
        server_id = new_id("s")
        self._name = ServerName(server_id, clock_id(fallback=server_id))
        self._tls = server_context(settings.tls_cert, settings.tls_key)
        self._websockets: WebSocketServer | None = None
        self.metrics.watch(
            connections=lambda: len(self._connections),
            sessions=lambda: len(self.gateway.sessions),
            runs=lambda: len(self.gateway.runs),
        )

    @property
    def port(self) -> int:
        """The port that is listened on, also where 0 was asked for."""
        assert self._websockets is not None
        return int(next(iter(self._websockets.sockets)).getsockname()[1])

    @property
    def url(self) -> str:
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        return f"{'wss' if self._tls else 'ws'}://{host}:{self.port}/ws"

    async def __aenter__(self) -> Self:
        settings = self.settings
        try:
            self._websockets = await serve(
                self._handle,
                settings.host,
                settings.port,
                process_request=self._process_request,
                select_subprotocol=_select_subprotocol,
                compression=None,
                server_header=None,
                open_timeout=settings.open_timeout_s,
                ping_interval=None,  # heartbeats come with pings of their own
                close_timeout=GRACE_S,
                max_size=settings.max_message_bytes,
                max_queue=MAX_QUEUED_FRAMES,
                write_limit=TLS_WRITE_BUFFER_BYTES if self._tls else WRITE_BUFFER_BYTES,
                logger=_quiet_logger(),
                create_connection=Channel,
                backlog=BACKLOG,
                ssl=self._tls,
            )
        except OSError as error:
            raise CannotListenError(_cannot_listen(settings.host, settings.port, error)) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.drain()

    async def drain(self) -> None:
        """Refuse new connections and runs, let the runs under way finish, then close everything."""
        assert self._websockets is not None
        log.info("draining", runs=len(self.gateway.runs), connections=len(self._connections))
        finished = await self.gateway.drain()
        for connection in self._connections:
            connection.close(DRAINING)
        if not finished:
            log.warning("runs_left_at_drain", runs=len(self.gateway.runs))
            await self.gateway.stop_runs()
        self._websockets.close()
        # A handshake that goes on is waited for as well, so the wait has an end of its own.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._websockets.wait_closed(), 2 * GRACE_S)
        self.gateway.tell_losses()
        log.info("drained")

    def _choose_parts(self) -> Parts:
        parts = Parts()
        if self.settings.slow_events:
            parts = Parts(emit=slowed(parts.emit, self.settings.slow_events))
        if not self.settings.faults:
            return parts
        # Imported only here: a server without --fault does not even hold the code of its faults.
        from reference_server.faults import commit  # noqa: PLC0415

        return commit(self.settings.faults, self.settings.fault_seed, parts, self.metrics)

    async def _handle(self, channel: ServerConnection) -> None:
        assert isinstance(channel, Channel)
        connection = Connection(
            channel, self.gateway, self.settings, self.metrics, self._clock, self._name, self._parts
        )
        self._connections.add(connection)
        try:
            await connection.serve()
        finally:
            self._connections.discard(connection)

    def _process_request(self, channel: ServerConnection, request: Request) -> Response | None:
        """Answer what is no upgrade, and refuse the upgrades that are not let in."""
        assert isinstance(channel, Channel)
        path = request.path.partition("?")[0]
        if path == "/ws":
            return self._admit(channel, request.headers)
        if path not in ("/healthz", "/metrics"):
            return plain_http.text(HTTPStatus.NOT_FOUND, "Nothing is here: try /ws, /healthz or /metrics.")
        if request.method != "GET":
            return plain_http.text(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET is answered here.")
        return plain_http.metrics(self.metrics.exposition()) if path == "/metrics" else self._health()

    def _admit(self, channel: Channel, headers: Headers) -> Response | None:
        knock = Knock(_header(headers, "Authorization"), _offered(headers), _header(headers, "Origin"))
        occupancy = Occupancy(self.gateway.draining, self._admitted.total(), self._admitted)
        now_s = self._clock.now().timestamp()
        verdict = admit(knock, occupancy, self.settings, now_s, self._parts.identify)
        if isinstance(verdict, Refusal):
            self.metrics.refusals.labels(status=str(verdict.status)).inc()
            log.info("refused", status=verdict.status, reason=verdict.reason)
            response = plain_http.text(HTTPStatus(verdict.status), verdict.reason)
            if verdict.retry_after_s is not None:
                response.headers["Retry-After"] = str(verdict.retry_after_s)
            return response
        # Counted from here on: handshakes at the same moment must not pass the limit together.
        user_id = verdict.user_id
        channel.identity = verdict
        channel.on_lost = lambda: self._release(user_id)
        self._admitted[user_id] += 1
        return None

    def _release(self, user_id: str) -> None:
        self._admitted[user_id] -= 1
        if not self._admitted[user_id]:
            del self._admitted[user_id]

    def _health(self) -> Response:
        return plain_http.health(
            plain_http.Health(
                status="draining" if self.gateway.draining else "ok",
                server_id=self._name.server_id,
                connections=len(self._connections),
                sessions=len(self.gateway.sessions),
                runs=len(self.gateway.runs),
            )
        )


def _select_subprotocol(_channel: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None


def _header(headers: Headers, name: str) -> str | None:
    """Read a header that may come once; several are joined, so that no second one is overlooked."""
    return ", ".join(headers.get_all(name)) or None


def _offered(headers: Headers) -> list[str]:
    try:
        return [
            str(name)
            for line in headers.get_all("Sec-WebSocket-Protocol")
            for name in parse_subprotocol(line)
        ]
    except InvalidHeader:
        return []


def _quiet_logger() -> logging.Logger:
    # websockets writes one line a connection at INFO, and frames with their payload at DEBUG.
    logger = logging.getLogger("reference_server.websockets")
    logger.setLevel(logging.WARNING)
    return logger


def _cannot_listen(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use: stop what listens there, or choose another --port (0: any)"
    return f"cannot listen on {host} port {port}: {error.strerror or error}: choose another --host or --port"
