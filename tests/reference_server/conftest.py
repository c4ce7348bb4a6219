"""Shared helpers, given to tests as fixtures: a stage without sockets, and a real server with its clients."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
import uvloop
from msgspec import Raw
from prometheus_client import generate_latest
from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from reference_server.agent import Agent, AgentResult, AgentTask
from reference_server.auth import issue
from reference_server.bridge import AgentWebSocketBridge, Emit
from reference_server.clock import Clock
from reference_server.context import AgentRequest, UserExecutionContext
from reference_server.core import AgentExecutionCore
from reference_server.losses import Losses
from reference_server.metrics import Metrics
from reference_server.outbox import Outbox
from reference_server.registry import AgentRegistry
from reference_server.run import Run
from reference_server.server import ReferenceServer
from reference_server.session import Session
from reference_server.settings import Settings
from reference_server.tools import ToolDispatcher

SECRET = "a secret of more than thirty-two bytes"
PATIENCE_S = 10.0

T = TypeVar("T")
Message = dict[str, Any]


def context_of(user: str = "u1", run: str = "r1") -> UserExecutionContext:
    return UserExecutionContext(user_id=user, thread_id="t1", run_id=run, request_id="q1", connection_id="c1")


class TickingClock:
    """Each look at the clock is one nanosecond, and one microsecond on the wall, later than the last."""

    def __init__(self) -> None:
        self._ticks = itertools.count(1)
        self.clock = Clock(monotonic_ns=lambda: next(self._ticks), now=self._now)

    def _now(self) -> datetime:
        return datetime(2026, 11, 22, 8, tzinfo=UTC) + timedelta(microseconds=next(self._ticks))


class Stage:
    """Agents, core, tools, bridge and sessions as the server has them, without any socket."""

    def __init__(
        self,
        agents: Mapping[str, Agent],
        *,
        timeout_s: float = 5.0,
        tool_timeout_s: float = 5.0,
        emit: Emit = Session.send,
    ) -> None:
        clock = Clock()
        self.metrics = Metrics()
        self.bridge = AgentWebSocketBridge(clock, self.metrics, emit)
        self.dispatcher = ToolDispatcher()
        self.registry = AgentRegistry(self.dispatcher, clock, tool_timeout_s)
        for name, agent in agents.items():
            self.registry.register(name, agent)
        self.registry.set_websocket_manager(self.bridge)
        self.core = AgentExecutionCore(self.registry, self.dispatcher, self.bridge, clock, timeout_s)

    @staticmethod
    def session(user: str = "u1") -> Session:
        losses = Losses(Metrics(), "c1")
        return Session(f"session of {user}", user, Outbox(10_000, 100_000_000, losses), losses)

    def open(self, session: Session, run_id: str = "r1", **request: Any) -> Run:
        fields: dict[str, Any] = {"agent_name": "agent", "text": "hello", **request}
        run = Run(context_of(session.user_id, run_id), AgentRequest(**fields))
        self.bridge.open_run(
            run.context,
            session,
            agent_name=run.request.agent_name,
            echo=run.request.echo,
            emission=run.request.emission,
        )
        return run

    async def play(self, **request: Any) -> list[Message]:
        """Run one agent to its end and give its events."""
        session = self.session()
        await self.core.execute(self.open(session, **request))
        return events_of(session)


def events_of(session: Session) -> list[Message]:
    return [json.loads(data) for data in session.outbox.take(1_000_000_000)]


def sample(metrics: Metrics, line: str) -> float:
    """The value of one line of the metrics, 0 where it is not there; `line` without the prefix."""
    for found in generate_latest(metrics.registry).decode().splitlines():
        name, _, value = found.rpartition(" ")
        if name == f"streamgauge_server_{line}":
            return float(value)
    return 0.0


def total(metrics: Metrics, name: str) -> float:
    """The sum of all samples of one counter, whatever their labels."""
    start = f"streamgauge_server_{name}"
    lines = generate_latest(metrics.registry).decode().splitlines()
    return sum(
        float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{start}{{", f"{start} "))
    )


def kinds(events: Iterable[Message]) -> list[str]:
    """The sequence in short: `start`, `P1` a pipeline's thought, `A` an agent's, `tool`, `done:success` …."""
    return [_kind(event) for event in events]


def _kind(event: Message) -> str:
    payload = event["payload"]
    match event["type"]:
        case "agent_started":
            return "start"
        case "agent_thinking":
            return f"P{payload['step_number']}" if payload["source"] == "pipeline" else "A"
        case "tool_executing":
            return "tool"
        case "tool_completed":
            return f"done:{payload['status']}"
        case "partial_result":
            return f"part{payload['index']}"
        case "agent_completed":
            return "completed"
        case "agent_error":
            return f"error:{payload['error_type']}"
        case other:
            return str(other)


def a_token(user: str = "u1", secret: str = SECRET, valid_s: float = 600) -> str:
    return issue(user, secret, datetime.now(UTC).timestamp() + valid_s)


class Client:
    """A well-behaved client over a real socket."""

    def __init__(self, socket: ClientConnection, greeting: Message) -> None:
        self.socket = socket
        self.greeting = greeting
        self._numbers = itertools.count(1)

    async def say(self, type_: str, **payload: Any) -> None:
        await self.socket.send(json.dumps({"type": type_, "payload": payload}))

    async def hear(self) -> Message:
        async with asyncio.timeout(PATIENCE_S):
            message: Message = json.loads(await self.socket.recv())
        return message

    async def hear_until(self, *types: str) -> list[Message]:
        """Everything up to the first message of one of these types."""
        heard = [await self.hear()]
        while heard[-1]["type"] not in types:
            heard.append(await self.hear())
        return heard

    async def ask(self, type_: str, **payload: Any) -> Message:
        """Say something, and give the next message."""
        await self.say(type_, **payload)
        return await self.hear()

    async def start(self, **payload: Any) -> Message:
        """Start a run; gives `run_accepted`'s payload."""
        fields = {"user_request": "hello", "request_id": f"q{next(self._numbers)}", **payload}
        accepted = await self.ask("start_agent", **fields)
        assert accepted["type"] == "run_accepted", accepted
        found: Message = accepted["payload"]
        return found

    async def play(self, **payload: Any) -> list[Message]:
        """Start a run and give its events."""
        await self.start(**payload)
        return await self.hear_until("agent_completed", "agent_error")

    async def closed(self) -> int | None:
        """Read on until the server closes, and give the code."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    await self.socket.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None


class RawClient:
    """A client that only does what it is told: it answers no ping and no close by itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol = ClientProtocol(parse_uri("ws://server/ws"))

    async def upgrade(self, headers: Mapping[str, str]) -> None:
        request = self._protocol.connect()
        request.headers.update(headers)
        self._protocol.send_request(request)
        self._writer.writelines(self._protocol.data_to_send())
        while self._protocol.handshake_exc is None and not self._protocol.events_received():
            self._protocol.receive_data(await self._reader.read(65_536))

    async def send_bytes(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def send_frame(self, frame: Frame) -> None:
        await self.send_bytes(frame.serialize(mask=True))

    async def closed(self) -> int | None:
        """Read until the server closes, and give its code; None where it aborted without one."""
        async with asyncio.timeout(PATIENCE_S):
            while data := await self._reader.read(65_536):
                self._protocol.receive_data(data)
                for event in self._protocol.events_received():
                    if isinstance(event, Frame) and event.opcode is Opcode.CLOSE:
                        return int.from_bytes(bytes(event.data[:2]), "big")
        return None

    async def texts(self) -> int:
        """Read until the connection is gone, and give how many whole text messages came."""
        found = 0
        async with asyncio.timeout(PATIENCE_S):
            while data := await self._reader.read(65_536):
                self._protocol.receive_data(data)
                events = self._protocol.events_received()
                found += sum(isinstance(event, Frame) and event.opcode is Opcode.TEXT for event in events)
        return found


class Wire:
    """Real servers and clients in one event loop."""

    @staticmethod
    @asynccontextmanager
    async def server(**settings: Any) -> AsyncIterator[ReferenceServer]:
        fields = {"secret": SECRET, "port": 0, "measure": True, "drain_s": 0.0, "window_s": 0.0, **settings}
        async with ReferenceServer(Settings(**fields)) as server:
            yield server

    @staticmethod
    @asynccontextmanager
    async def client(server: ReferenceServer, user: str = "u1", **options: Any) -> AsyncIterator[Client]:
        fields = {"additional_headers": bearer(user), "compression": None, **options}
        async with connect(server.url, **fields) as socket:
            yield Client(socket, json.loads(await socket.recv()))

    @staticmethod
    @asynccontextmanager
    async def raw_client(
        server: ReferenceServer, user: str = "u1", **options: Any
    ) -> AsyncIterator[RawClient]:
        address: dict[str, Any] = {} if "sock" in options else {"host": "127.0.0.1", "port": server.port}
        reader, writer = await asyncio.open_connection(**address, **options)
        client = RawClient(reader, writer)
        await client.upgrade(bearer(user))
        try:
            yield client
        finally:
            writer.close()


def bearer(user: str = "u1", **token: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {a_token(user, **token)}"}


async def eventually(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)


class FunctionAgent:
    """An agent made of one function."""

    def __init__(self, function: Callable[[AgentTask], Awaitable[AgentResult | None]]) -> None:
        self._function = function

    async def run(self, task: AgentTask) -> AgentResult | None:
        return await self._function(task)


class Kit:
    """The helpers under one name, because a test file cannot import its conftest."""

    Stage = Stage
    FunctionAgent = FunctionAgent
    TickingClock = TickingClock
    Wire = Wire
    SECRET = SECRET
    NO_CONTEXT = Raw(b"{}")
    a_token = staticmethod(a_token)
    bearer = staticmethod(bearer)
    context_of = staticmethod(context_of)
    eventually = staticmethod(eventually)
    events_of = staticmethod(events_of)
    kinds = staticmethod(kinds)
    sample = staticmethod(sample)
    total = staticmethod(total)

    @staticmethod
    def python(*arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python in a process of its own."""
        return subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, timeout=20, check=True
        )

    @staticmethod
    def go(work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the server's kind of event loop."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)


@pytest.fixture
def kit() -> Kit:
    return Kit()
