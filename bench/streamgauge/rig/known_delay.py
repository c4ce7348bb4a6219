"""A server whose delays are known: it writes down when it sent what.

    STREAMGAUGE_SECRET=... python -m streamgauge.rig.known_delay --port 0 --truth truth.jsonl

It speaks as much of the native protocol (docs/wire.md) as a run needs: every request gets
the run of `known_run`. The clock is read just before and just after the system call that
sends an event; what was read is kept in memory, and written to the truth file when
SIGTERM or SIGINT ends the server, so that writing disturbs nothing. The first line that it
prints is JSON, and says where it listens.
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import time
from http import HTTPStatus
from pathlib import Path
from typing import Final

import jwt
import msgspec
import uvloop
from msgspec import Raw, Struct
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State

from streamgauge.core.truth import Sent, encode
from streamgauge.protocol.login import AUDIENCE
from streamgauge.results import write_whole
from streamgauge.rig.known_run import Planned, Start, plan_run

SECRET_VARIABLE: Final = "STREAMGAUGE_SECRET"  # noqa: S105 - the name of a variable
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_TICK_S: Final = 0.001  # of uvloop's timers
_BEARER: Final = "Bearer "
_encode: Final = msgspec.json.Encoder().encode


class _Said(Struct, frozen=True):
    """A message of a client."""

    type: str
    payload: Raw = Raw(b"{}")


class _Run(Struct):
    """A run under way; what is left of it stands last to first."""

    envelope: dict[str, object]
    left: list[Planned]
    seq: int = 0


class Session:
    """One connection's runs; `truth` takes what was sent."""

    def __init__(self, socket: ServerConnection, user: str, rng: random.Random, truth: list[Sent]) -> None:
        self._socket = socket
        self._user = user
        self._random = rng
        self._truth = truth
        self._offset = 0
        self._loop = asyncio.get_running_loop()

    async def serve(self, clock: str) -> None:
        """Greet, and answer until the client leaves."""
        greeting = {"protocol": 1, "user_id": self._user, "connection_id": self._id("c"), "clock_id": clock}
        self._say("connection_established", {**greeting, "server_ns": time.monotonic_ns()})
        async for message in self._socket:
            try:
                self._hear(msgspec.json.decode(message, type=_Said))
            except msgspec.MsgspecError as error:
                self._say("error", {"code": "bad_message", "message": str(error)})

    def _hear(self, said: _Said) -> None:
        if said.type != "start_agent":
            self._say("error", {"code": "not_supported", "message": f"{said.type}: only start_agent is"})
            return
        start = msgspec.json.decode(said.payload, type=Start)
        run, thread = self._id("r"), start.thread_id or self._id("t")
        self._say("run_accepted", {"request_id": start.request_id, "run_id": run, "thread_id": thread})
        envelope: dict[str, object] = {
            "run_id": run,
            "thread_id": thread,
            "user_id": self._user,
            "agent_name": start.agent_name,
        }
        self._wait(_Run(envelope, plan_run(start, time.monotonic_ns(), self._random)[::-1]))

    def _wait(self, run: _Run) -> None:
        """Have the run's next event sent when it is due; nothing wakes up for its emission."""
        if run.left:
            due_s = (run.left[-1].due_ns - time.monotonic_ns()) / 1e9
            self._loop.call_later(max(_TICK_S, due_s), self._emit, run)

    def _emit(self, run: _Run) -> None:
        socket = self._socket
        if socket.protocol.state is not State.OPEN or socket.transport.is_closing():
            return
        if time.monotonic_ns() < run.left[-1].due_ns:  # uvloop's timers may be a tick early
            self._wait(run)
            return
        event = run.left.pop()
        run.seq += 1
        self._offset += 1
        frame = _frame(
            {
                "type": event.type,
                **run.envelope,
                "seq": run.seq,
                "offset": self._offset,
                "emitted_ns": event.emitted_ns,
                "payload": event.payload,
            }
        )
        write, monotonic_ns = socket.transport.write, time.monotonic_ns
        sent_ns = monotonic_ns()
        write(frame)
        returned_ns = monotonic_ns()
        # what the socket did not take at once leaves at a time that nobody knows
        if not socket.transport.get_write_buffer_size():
            sent = Sent(str(run.envelope["run_id"]), run.seq, event.emitted_ns, sent_ns, returned_ns)
            self._truth.append(sent)
        self._wait(run)

    def _say(self, kind: str, payload: dict[str, object]) -> None:
        self._socket.transport.write(_frame({"type": kind, "payload": payload}))

    def _id(self, kind: str) -> str:
        return f"{kind}-{self._random.getrandbits(128):032x}"


def _frame(message: dict[str, object]) -> bytes:
    # a frame of our own making, written past `send`: between the clock and the system call
    # there is to be as little as can be
    return Frame(Opcode.TEXT, _encode(message)).serialize(mask=False)


class Server:
    """The sessions, and the truth about all of them."""

    def __init__(self, secret: str, seed: int) -> None:
        self.truth: list[Sent] = []
        self._secret = secret
        self._random = random.Random(f"known delay {seed}")  # noqa: S311 - delays are to be repeatable
        self._clock = _BOOT_ID.read_text(encoding="ascii").strip()

    async def listen(self, port: int, stop: asyncio.Event) -> None:
        """Serve on loopback until told to stop."""
        # with a write limit of 0 no version of uvloop keeps what it sends until the end of its turn
        async with serve(
            self._serve,
            "127.0.0.1",
            port,
            process_request=self._admit,
            compression=None,
            ping_interval=None,
            write_limit=0,
            backlog=1024,
        ) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            told = {"listening": f"ws://127.0.0.1:{port}/ws", "port": port, "pid": os.getpid()}
            sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
            sys.stdout.flush()
            await stop.wait()

    def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        if request.path != "/ws":
            return socket.respond(HTTPStatus.NOT_FOUND, "")
        return None if self._user(request) else socket.respond(HTTPStatus.UNAUTHORIZED, "")

    def _user(self, request: Request) -> str:
        """Whose token it is; "" of none, or a wrong one."""
        token = request.headers.get("Authorization", "").removeprefix(_BEARER)
        try:
            claims = jwt.decode(token, self._secret, algorithms=["HS256"], audience=AUDIENCE)
        except jwt.InvalidTokenError:
            return ""
        return str(claims.get("sub", ""))

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        rng = random.Random(self._random.getrandbits(64))  # noqa: S311
        try:
            await Session(socket, self._user(socket.request), rng, self.truth).serve(self._clock)
        except ConnectionClosed:
            return


async def _main(server: Server, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await server.listen(port, stop)


def main() -> None:
    """Serve until a signal comes, then write the truth."""
    parser = argparse.ArgumentParser(
        prog="python -m streamgauge.rig.known_delay",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--truth", type=Path, required=True, help="the file that is written at the end")
    parser.add_argument("--seed", type=int, default=1, help="of the delays")
    parser.add_argument("--core", type=int, help="run on this core alone")
    given = parser.parse_args()
    secret = os.environ.get(SECRET_VARIABLE)
    if not secret:
        parser.error(f"no secret: set {SECRET_VARIABLE}")
    if given.core is not None:
        os.sched_setaffinity(0, {given.core})
    server = Server(secret, given.seed)
    uvloop.run(_main(server, given.port))
    write_whole(given.truth, encode(server.truth))


if __name__ == "__main__":
    main()
