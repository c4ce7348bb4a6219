"""As much of the native protocol as attacks need, right but for the holes that are named.

Each hole is a mistake that a real server made; `subscribe` and `resume` are no holes, but
offers that the reference server does not make yet.
"""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from typing import Any

import jwt
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response

RUN_S = 0.03
_DEAF = "attacker-deaf"
_BYSTANDER = "bystander-1"
WAIT_S = 0.001
_LONG_S = 12  # longer than it is looked at
STRANGERS_CANARY = "sgcanaryOfSomebodyWhoIsAway1"
_KEPT_BYTES = 50_000  # an answer to who never reads, where all is kept


class Attacked:
    """All that is shared: whose run is whose, and where events go."""

    def __init__(self, holes: Collection[str]) -> None:
        self._holes = holes
        self._ids = (f"{number:032x}" for number in itertools.count(10**30, 7**20))
        self._owners: dict[str, str] = {}
        self._threads: dict[str, str] = {}
        self._sessions: dict[str, str] = {}
        self._canaries: dict[str, str] = {}
        self._live: set[str] = set()
        self._said: dict[str, str] = {}
        self._traces = itertools.count(1)
        self._asked = asyncio.Event()
        self._present: Counter[str] = Counter()

    def refuse(self, client: ServerConnection, request: Request) -> Response | None:
        """429, where each user may connect once, to who is there; where it is full, to all but bystanders."""
        if "full" in self._holes and not _user(request).startswith("bystander"):
            return client.respond(429, "")
        if "one of each" in self._holes and self._present[_user(request)]:
            return client.respond(429, "")
        return None

    async def behave(self, client: ServerConnection) -> None:
        assert client.request is not None
        user = _user(client.request)
        session = {"id": f"session-{next(self._ids)}", "window_s": 60, "resume": "resume" in self._holes}
        self._sessions[str(session["id"])] = user
        greeting = {"user_id": user, "clock_id": "c", "max_message_bytes": 65_536, "session": session}
        runs: set[asyncio.Task[None]] = set()
        self._present[user] += 1
        with suppress(ConnectionClosed):
            await _say(client, "connection_established", greeting)
            if "whispers" in self._holes:
                await client.send(STRANGERS_CANARY.encode())
                await client.ping(STRANGERS_CANARY)
            if "gossips" in self._holes and user != _BYSTANDER:
                await self._asked.wait()
                await _say(client, "notice", {"latest": self._canaries[_BYSTANDER]})
            offsets = itertools.count(1)
            async for said in client:
                message = json.loads(said)
                payload = message["payload"]
                if message["type"] == "start_agent" and "refuses" in self._holes:
                    said_no = {"code": "draining", "message": "no", "request_id": payload["request_id"]}
                    await _say(client, "error", said_no)
                elif message["type"] == "start_agent" and "hangs up" in self._holes:
                    await client.close(1011)
                elif user == _DEAF and "keeps all" in self._holes:
                    client.transport.write(_text(_KEPT_BYTES))  # and nobody waits for it to be taken
                elif user == _DEAF and "holds back" in self._holes:
                    await asyncio.sleep(_LONG_S)
                    break
                elif message["type"] == "start_agent":
                    runs.add(asyncio.create_task(self._run(client, user, payload, offsets)))
                else:
                    if "waits for the living" in self._holes and payload.get("run_id") in self._live:
                        await asyncio.sleep(WAIT_S)
                    kind, answer = self._answer(user, message["type"], payload)
                    trace = {"trace_id": f"trace-{next(self._traces)}"} if "traces" in self._holes else {}
                    await _say(client, kind, answer | trace)
        self._present[user] -= 1
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)

    def _answer(self, user: str, kind: str, payload: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        not_found = "error", {"code": "not_found", "message": "there is none"}
        match kind:
            case "subscribe" if "subscribe" not in self._holes:
                return "error", {"code": "not_supported", "message": "not here"}
            case "subscribe":
                owner = self._threads.get(payload["thread_id"])
                told = owner not in (None, user) and "oracle of threads" in self._holes
                return ("error", {"code": "forbidden", "message": "not yours"}) if told else not_found
            case "resume":
                owner = self._sessions.get(payload["session_id"])
                if owner not in (None, user) and "foreign resume" in self._holes:
                    return "resumed", {"session_id": payload["session_id"], "canary": self._canaries[owner]}
                return "resume_failed", {"message": "there is none"}
            case "cancel_run" | "user_message":
                owner = self._owners.get(payload["run_id"])
                if owner not in (None, user) and "wordy oracle" in self._holes:
                    return "error", {"code": "not_found", "message": "it is another's"}
                if owner not in (None, user) and "passes words on" in self._holes:
                    self._said[payload["run_id"]] = payload.get("text", "")
                if owner not in (None, user) and "foreign cancel" in self._holes:
                    return "ack", {"run_id": payload["run_id"]}
        return not_found

    async def _run(
        self, client: ServerConnection, user: str, asked: dict[str, Any], offsets: "itertools.count[int]"
    ) -> None:
        run, thread = f"r-{next(self._ids)}", asked["thread_id"]
        self._owners[run] = user
        self._threads[thread] = user
        self._live.add(run)
        self._canaries[user] = asked["context"]["canary"]
        self._asked.set()  # the bystander is the first
        claimed = asked.get("user_id", user) if "trusts payloads" in self._holes else user
        ids = {"request_id": asked["request_id"], "context": asked["context"]}
        await _say(
            client, "run_accepted", {"request_id": asked["request_id"], "run_id": run, "thread_id": thread}
        )
        events: list[tuple[str, dict[str, Any]]] = [
            ("agent_started", ids),
            *(("agent_thinking", {"source": "pipeline", "step_number": step}) for step in (1, 2, 3)),
            ("agent_completed", {**ids, "answer_sha256": sha256(b"").hexdigest(), "result": {}}),
        ]
        with suppress(ConnectionClosed):
            for seq, (kind, payload) in enumerate(events, 1):
                await asyncio.sleep(RUN_S / len(events))
                heard = {"heard": self._said.pop(run)} if run in self._said else {}
                event = {
                    "type": kind,
                    "run_id": run,
                    "thread_id": thread,
                    "user_id": claimed,
                    "agent_name": asked["agent_name"],
                    "seq": seq,
                    "offset": next(offsets),
                    "emitted_ns": 1,
                    "payload": payload | heard,
                }
                if seq == len(events):
                    self._live.discard(run)
                await client.send(json.dumps(event))


def _user(request: Request) -> str:
    token = request.headers["Authorization"].removeprefix("Bearer ")
    return str(jwt.decode(token, options={"verify_signature": False})["sub"])


def _text(size: int) -> bytes:
    return Frame(Opcode.TEXT, b"x" * size).serialize(mask=False)


async def _say(client: ServerConnection, kind: str, payload: dict[str, Any]) -> None:
    await client.send(json.dumps({"type": kind, "payload": payload}))


@asynccontextmanager
async def attacked_server(*holes: str, **options: Any) -> AsyncIterator[str]:
    """Serve with these holes on a free port; its address. `options` are those of websockets' server."""
    behaviour = {"compression": None, "max_size": 65_536, "close_timeout": 0.2, **options}
    attacked = Attacked(holes)
    async with serve(attacked.behave, "127.0.0.1", 0, process_request=attacked.refuse, **behaviour) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/ws"
