"""A WebSocket server that misbehaves by the path it is asked for: `python -m tests.support.peer_server`.

With a certificate and a key as arguments it does so over TLS. The first line that it
prints is its port; every further one is what a client said to it, as JSON.
"""

import asyncio
import json
import ssl
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request, Response

GREETING = {"type": "connection_established", "payload": {"user_id": "ann", "clock_id": "clock"}}
HEARTBEAT = {"type": "heartbeat", "payload": {}}


def heard(what: object) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201 - it is how this server speaks to the tests


def event(kind: str, run: str, seq: int, **payload: object) -> dict[str, object]:
    envelope = {"run_id": run, "thread_id": "t", "user_id": "ann", "agent_name": "guide"}
    return {"type": kind, **envelope, "seq": seq, "offset": seq, "emitted_ns": seq, "payload": payload}


async def say(socket: ServerConnection, *messages: Mapping[str, object]) -> None:
    for message in messages:
        await socket.send(json.dumps(message))


async def next_start(socket: ServerConnection) -> dict[str, Any]:
    message = json.loads(await socket.recv())
    while message["type"] == "ping":  # this server's clock is not the tests'
        message = json.loads(await socket.recv())
    assert message["type"] == "start_agent"
    payload: dict[str, Any] = message["payload"]
    return payload


def accepted(request: str) -> dict[str, object]:
    return {
        "type": "run_accepted",
        "payload": {"request_id": request, "run_id": f"run of {request}", "thread_id": "t"},
    }


async def answers(socket: ServerConnection) -> None:
    """Ends every run as soon as it began."""
    await say(socket, GREETING)
    while True:
        await answer(socket, (await next_start(socket))["request_id"])


async def answer(socket: ServerConnection, request: str) -> None:
    run, echo = f"run of {request}", {"request_id": request, "context": {}}
    await say(
        socket,
        accepted(request),
        event("agent_started", run, 1, **echo),
        event("agent_completed", run, 2, answer_sha256="", **echo),
    )


async def tires(socket: ServerConnection) -> None:
    """Ends two runs as soon as they began, and no other."""
    await say(socket, GREETING)
    for _ in range(2):
        await answer(socket, (await next_start(socket))["request_id"])
    while True:
        await say(socket, accepted((await next_start(socket))["request_id"]))


async def answers_once(socket: ServerConnection) -> None:
    """Ends one run, and lets go in the next one."""
    await say(socket, GREETING)
    await answer(socket, (await next_start(socket))["request_id"])
    await say(socket, accepted((await next_start(socket))["request_id"]))
    socket.transport.abort()


async def reports(socket: ServerConnection) -> None:
    """Emits nothing but its account of every run."""
    await say(socket, GREETING)
    while True:
        request = (await next_start(socket))["request_id"]
        account = {"run_id": f"run of {request}", "execution_ns": 900, "emission_ns": 30, "events": 0}
        await say(socket, accepted(request), {"type": "run_report", "payload": account})


async def accepts(socket: ServerConnection) -> None:
    """Ends no run, and tells what else it hears."""
    await say(socket, GREETING)
    async for message in socket:
        said = json.loads(message)
        if said["type"] == "start_agent":
            await say(socket, accepted(said["payload"]["request_id"]))
        elif said["type"] != "ping":
            heard(said)


async def tells_the_time(socket: ServerConnection) -> None:
    """Answers pings by a clock that is an hour ahead; every second answer names another ping."""
    await say(socket, GREETING)
    n = 0
    async for message in socket:
        times = json.loads(message)["payload"]
        n += 1
        answer = {
            "client_ns": times["client_ns"] + n % 2,
            "server_ns": time.monotonic_ns() + 3_600_000_000_000,
        }
        await say(socket, {"type": "pong", "payload": answer})


async def refuses(socket: ServerConnection) -> None:
    await say(socket, GREETING)
    request = (await next_start(socket))["request_id"]
    await say(socket, {"type": "error", "payload": {"code": "busy", "request_id": request}})
    await socket.wait_closed()


async def reads_late(socket: ServerConnection) -> None:
    await say(socket, GREETING)
    time.sleep(0.3)  # noqa: ASYNC251 - nobody reads: the client's socket fills up
    for _ in range(2):
        start = await next_start(socket)
        heard([start["request_id"], len(start["user_request"])])
    await socket.wait_closed()


async def pings(socket: ServerConnection) -> None:
    await say(socket, GREETING)
    await (await socket.ping(b"are you there?"))
    heard("pong")
    await socket.wait_closed()


async def leaves(socket: ServerConnection) -> None:
    await say(socket, GREETING)
    await socket.close(1001, "going away")


async def leaves_slowly(socket: ServerConnection) -> None:
    """Says that it leaves, and keeps the connection a while."""
    await say(socket, GREETING)
    closing = Frame(Opcode.CLOSE, Close(1001, "going away").serialize())
    socket.transport.write(closing.serialize(mask=False))
    time.sleep(0.7)  # noqa: ASYNC251 - nor does it read the answer


async def hangs_up(socket: ServerConnection) -> None:
    await say(socket, GREETING)
    socket.transport.abort()


async def hears_the_end(socket: ServerConnection) -> None:
    await say(socket, GREETING)
    await socket.wait_closed()
    heard(socket.close_code)


async def beats(socket: ServerConnection) -> None:
    await say(socket, GREETING, HEARTBEAT)
    await socket.wait_closed()


async def begins_in_binary(socket: ServerConnection) -> None:
    await socket.send(b"\0\0")
    await say(socket, GREETING)
    await socket.wait_closed()


async def masks(socket: ServerConnection) -> None:
    """Masks a frame, which only clients may."""
    await say(socket, GREETING)
    await asyncio.sleep(0.05)
    socket.transport.write(Frame(Opcode.TEXT, b"{}").serialize(mask=True))
    await socket.wait_closed()


async def says_too_much(socket: ServerConnection) -> None:
    await say(socket, GREETING)
    await asyncio.sleep(0.05)
    await socket.send("x" * 1_000_000)
    await socket.wait_closed()


async def speaks_latin(socket: ServerConnection) -> None:
    await say(socket, GREETING)
    await asyncio.sleep(0.05)
    socket.transport.write(Frame(Opcode.TEXT, "\xe9t\xe9".encode("latin-1")).serialize(mask=False))
    await socket.wait_closed()


BENS_CANARY = "sgcanaryOfBenAndNobodyElse12"


async def leaks_in_binary(socket: ServerConnection) -> None:
    await say(socket, GREETING)
    await socket.send(f"Ben's: {BENS_CANARY}".encode())
    await socket.wait_closed()


async def leaks_in_latin(socket: ServerConnection) -> None:
    await say(socket, GREETING)
    await asyncio.sleep(0.05)
    payload = f"\xe9t\xe9 {BENS_CANARY}".encode("latin-1")
    socket.transport.write(Frame(Opcode.TEXT, payload).serialize(mask=False))
    await socket.wait_closed()


async def leaks_in_pings(socket: ServerConnection) -> None:
    """Says nothing else in its pings, but the client's own canary."""
    await say(socket, GREETING)
    for payload in ("", "ping", "sgcanaryOfAnnAndNobodyElse1", BENS_CANARY):
        await socket.ping(payload)
    await socket.recv()  # the client asks for the time
    await asyncio.sleep(0.05)
    await socket.ping("p" * 125)  # alone, while it waits for the answer
    await socket.wait_closed()


async def leaks_in_pongs(socket: ServerConnection) -> None:
    await say(socket, GREETING)
    await socket.pong(BENS_CANARY)
    await socket.wait_closed()


async def leaks_in_its_close(socket: ServerConnection) -> None:
    await say(socket, GREETING)
    await socket.close(1001, BENS_CANARY)


async def leaks_in_a_faulty_frame(socket: ServerConnection) -> None:
    """Sets a bit that is reserved."""
    await say(socket, GREETING)
    await asyncio.sleep(0.05)
    whole = Frame(Opcode.TEXT, BENS_CANARY.encode()).serialize(mask=False)
    socket.transport.write(b"\xc1" + whole[1:])
    await socket.wait_closed()


async def speaks_ag_ui(socket: ServerConnection) -> None:
    """Ends every run as soon as it began; the text says of what it lacks the beginning."""
    async for message in socket:
        asked = json.loads(message)
        names = {"runId": asked["runId"], "threadId": asked["threadId"]}
        if asked["messages"][0]["content"] != "headless":
            await say(socket, {"type": "RUN_STARTED", **names})
        await say(socket, {"type": "RUN_FINISHED", **names})


async def closes_ungreeted(socket: ServerConnection) -> None:
    await socket.close(1013, "later")


async def greets_nobody(socket: ServerConnection) -> None:
    await socket.wait_closed()


BEHAVIOURS: dict[str, Callable[[ServerConnection], Awaitable[None]]] = {
    f"/{behaviour.__name__}": behaviour
    for behaviour in (
        *(
            answers,
            answers_once,
            tires,
            reports,
            accepts,
            tells_the_time,
            refuses,
            reads_late,
            pings,
            leaves,
            leaves_slowly,
            hangs_up,
        ),
        *(
            hears_the_end,
            beats,
            begins_in_binary,
            masks,
            says_too_much,
            speaks_latin,
            leaks_in_binary,
            leaks_in_latin,
            leaks_in_pings,
            leaks_in_pongs,
            leaks_in_its_close,
            leaks_in_a_faulty_frame,
            speaks_ag_ui,
            closes_ungreeted,
            greets_nobody,
        ),
    )
}


def before(socket: ServerConnection, request: Request) -> Response | None:
    if request.path == "/metrics":
        return socket.respond(HTTPStatus.OK, "these are { no metrics")
    if request.path not in BEHAVIOURS:
        return socket.respond(HTTPStatus.UNAUTHORIZED, "")
    return None


async def behave(socket: ServerConnection) -> None:
    assert socket.request is not None
    with suppress(ConnectionClosed):
        await BEHAVIOURS[socket.request.path](socket)


async def main(*shown: str) -> None:
    context = None
    if shown:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*shown)
    async with serve(behave, "127.0.0.1", 0, process_request=before, max_size=None, ssl=context) as server:
        heard(server.sockets[0].getsockname()[1])
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until the tests have gone


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
