from __future__ import annotations

import asyncio
import json
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reference_server.server import ReferenceServer
    from reference_server.session import Session
    from tests.reference_server.conftest import Client, Kit, Message

SLOW_SCRIPT = [{"do": "sleep", "ms": 60_000}, {"do": "result"}]
BULK = [{"do": "tool", "name": "bulk", "bytes": 32_000}] * 600


def speak(kit: Kit, talk: Callable[[Client], Awaitable[Any]], **settings: Any) -> Any:
    """One client's talk with a server."""

    async def work() -> Any:
        async with kit.Wire.server(**settings) as server, kit.Wire.client(server) as client:
            return await talk(client)

    return kit.go(work())


def test_the_greeting(kit: Kit) -> None:
    async def talk(client: Client) -> Message:
        return client.greeting

    greeting = speak(kit, talk, heartbeat_s=7.0, window_s=3.0)
    payload = greeting["payload"]
    assert greeting["type"] == "connection_established"
    assert set(payload) == {
        *("protocol", "user_id", "connection_id", "server_id", "clock_id", "server_ns"),
        *("heartbeat_s", "max_message_bytes", "session"),
    }
    assert (payload["protocol"], payload["user_id"], payload["heartbeat_s"]) == (1, "u1", 7)
    assert payload["max_message_bytes"] == 65_536
    assert (payload["session"]["window_s"], payload["session"]["resume"]) == (3, False)
    assert 0 < payload["server_ns"] <= time.monotonic_ns()


def test_a_run_from_request_to_report(kit: Kit) -> None:
    async def talk(client: Client) -> tuple[Message, list[Message]]:
        accepted = await client.start(request_id="mine", thread_id="t9", context={"c": [1, None]})
        return accepted, await client.hear_until("run_report")

    accepted, heard = speak(kit, talk)
    *events, report = heard
    assert (accepted["request_id"], accepted["thread_id"]) == ("mine", "t9")
    assert kit.kinds(events)[0::10] == ["start", "completed"]
    assert [event["seq"] for event in events] == list(range(1, 12))
    assert [event["offset"] for event in events] == list(range(1, 12))
    assert {event["run_id"] for event in events} == {accepted["run_id"]}
    assert {event["thread_id"] for event in events} == {"t9"}
    for echo in (events[0]["payload"], events[-1]["payload"]):
        assert (echo["request_id"], echo["context"]) == ("mine", {"c": [1, None]})
    assert report["payload"]["run_id"] == accepted["run_id"]
    assert (report["payload"]["events"], report["payload"]["emission"]) == (11, "on")
    assert report["payload"]["execution_ns"] > report["payload"]["emission_ns"] > 0


def test_secrets_never_leave(kit: Kit) -> None:
    async def talk(client: Client) -> list[Message]:
        return await client.play(context={"deep": [{"api_key": "hunter2"}]})

    for event in speak(kit, talk):
        if event["type"] not in ("agent_started", "agent_completed"):  # these echo what the client sent
            assert "hunter2" not in str(event)
        if event["type"] == "tool_executing":
            assert event["payload"]["redacted"] == ["/context/deep/0/api_key"]


def test_without_measuring_there_is_no_report(kit: Kit) -> None:
    async def talk(client: Client) -> Message:
        await client.play()
        return await client.ask("ping", client_ns=1)

    assert speak(kit, talk, measure=False)["type"] == "pong"


@pytest.mark.parametrize(("emission", "events"), [("off", 0), ("encode", 11)])
def test_the_arms_without_emission_send_only_the_report(kit: Kit, emission: str, events: int) -> None:
    async def talk(client: Client) -> list[Message]:
        await client.start(options={"emission": emission})
        return [await client.hear(), (await client.play())[0]]

    report, after = speak(kit, talk)
    assert report["type"] == "run_report"
    assert (report["payload"]["events"], report["payload"]["emission"]) == (events, emission)
    assert after["offset"] == 1


def test_the_same_request_is_started_once(kit: Kit) -> None:
    async def talk(client: Client) -> tuple[list[Message], Message]:
        first = await client.start(request_id="mine")
        events = await client.hear_until("run_report")
        again = await client.start(request_id="mine", user_request="something else")
        assert (await client.ask("ping", client_ns=1))["type"] == "pong"
        assert first == again
        other = await client.start(request_id="other")
        return events, other

    events, other = speak(kit, talk)
    assert other["run_id"] != events[0]["run_id"]


def test_offsets_run_on_across_runs(kit: Kit) -> None:
    async def talk(client: Client) -> list[Message]:
        for request_id in ("a", "b"):
            await client.say("start_agent", user_request="hi", request_id=request_id)
        heard: list[Message] = []
        while sum(message["type"] == "agent_completed" for message in heard) < 2:
            heard.append(await client.hear())
        return [message for message in heard if "offset" in message]

    events = speak(kit, talk)
    assert [event["offset"] for event in events] == list(range(1, 23))
    for run_id in {event["run_id"] for event in events}:
        assert [e["seq"] for e in events if e["run_id"] == run_id] == list(range(1, 12))


def test_a_user_message_is_seen_by_the_agent(kit: Kit) -> None:
    async def talk(client: Client) -> list[Message]:
        run = await client.start(options={"script": [{"do": "sleep", "ms": 50}, {"do": "result"}]})
        await client.say("user_message", run_id=run["run_id"], text="look here")
        heard = await client.hear_until("agent_completed")
        ack = next(message for message in heard if message["type"] == "ack")
        assert ack["payload"] == {"command": "user_message", "run_id": run["run_id"]}
        return heard

    thoughts = [message["payload"].get("reasoning", "") for message in speak(kit, talk)]
    assert any("look here" in thought for thought in thoughts)


def test_a_run_is_cancelled(kit: Kit) -> None:
    async def talk(client: Client) -> list[Message]:
        script = [{"do": "tool", "name": "slow", "ms": 60_000}, {"do": "result"}]
        run = await client.start(options={"script": script})
        await client.hear_until("tool_executing")
        ack = await client.ask("cancel_run", run_id=run["run_id"])
        assert ack == {"type": "ack", "payload": {"command": "cancel_run", "run_id": run["run_id"]}}
        events = await client.hear_until("agent_error")
        late = await client.ask("cancel_run", run_id=run["run_id"])
        assert late["type"] == "run_report"
        assert (await client.hear())["type"] == "ack"
        return events

    assert kit.kinds(speak(kit, talk)) == ["done:cancelled", "error:cancelled"]


def test_a_run_that_is_cancelled_in_the_same_breath_ends_all_the_same(kit: Kit) -> None:
    async def work() -> list[str]:
        async with kit.Wire.server() as server, kit.Wire.client(server) as client:
            await client.say("start_agent", user_request="hi", request_id="q")
            run = (await client.hear())["payload"]
            await client.say("cancel_run", run_id=run["run_id"])
            return kit.kinds(e for e in await client.hear_until("agent_error") if "seq" in e)

    found = kit.go(work())
    assert (found[0], found[-1]) == ("start", "error:cancelled")


def test_a_run_takes_no_longer_than_it_may(kit: Kit) -> None:
    async def talk(client: Client) -> list[Message]:
        return await client.play(options={"script": SLOW_SCRIPT})

    assert kit.kinds(speak(kit, talk, run_timeout_s=0.05))[-1] == "error:timeout"


def test_ping(kit: Kit) -> None:
    async def talk(client: Client) -> Message:
        return await client.ask("ping", client_ns=12345)

    pong = speak(kit, talk)
    assert (pong["type"], pong["payload"]["client_ns"]) == ("pong", 12345)
    assert 0 < pong["payload"]["server_ns"] <= time.monotonic_ns()


@pytest.mark.parametrize(
    ("type_", "payload", "code", "request_id"),
    [
        ("dance", {}, "unknown_type", None),
        ("start_agent", {"request_id": "q1"}, "bad_message", "q1"),
        ("start_agent", {"user_request": "hi", "request_id": 5}, "bad_message", None),
        (
            "start_agent",
            {"user_request": "hi", "request_id": "q1", "options": {"script": [{"do": "x"}]}},
            "bad_script",
            "q1",
        ),
        ("start_agent", {"user_request": "x" * 20_000, "request_id": "q1"}, "too_large", "q1"),
        ("user_message", {"run_id": "r-0", "text": "hi"}, "not_found", None),
        ("user_message", {"run_id": "r-0"}, "bad_message", None),
        ("cancel_run", {"run_id": "r-0"}, "not_found", None),
        ("subscribe", {"thread_id": "t1"}, "not_supported", None),
        ("ping", {"client_ns": "now"}, "bad_message", None),
    ],
)
def test_what_cannot_be_done_is_answered_and_nothing_else_happens(
    kit: Kit, type_: str, payload: Message, code: str, request_id: str | None
) -> None:
    async def talk(client: Client) -> Message:
        answer = await client.ask(type_, **payload)
        assert (await client.ask("ping", client_ns=1))["type"] == "pong"
        return answer

    answer = speak(kit, talk)
    assert (answer["type"], answer["payload"]["code"]) == ("error", code)
    assert answer["payload"].get("request_id") == request_id


def test_measuring_controls_are_not_allowed_without_measuring(kit: Kit) -> None:
    async def talk(client: Client) -> Message:
        return await client.ask(
            "start_agent", user_request="hi", request_id="q1", options={"emission": "off"}
        )

    answer = speak(kit, talk, measure=False)
    assert (answer["payload"]["code"], answer["payload"]["request_id"]) == ("not_allowed", "q1")


def test_nobody_resumes(kit: Kit) -> None:
    async def talk(client: Client) -> list[Message]:
        answer = await client.ask("resume", session_id=client.greeting["payload"]["session"]["id"], offset=0)
        return [answer, *(await client.play())]

    answer, *events = speak(kit, talk)
    assert answer["type"] == "resume_failed"
    assert kit.kinds(events)[-1] == "completed"


def test_another_users_run_is_exactly_no_run(kit: Kit) -> None:
    async def work() -> list[list[Message]]:
        async with (
            kit.Wire.server() as server,
            kit.Wire.client(server, "u1") as owner,
            kit.Wire.client(server, "u2") as other,
        ):
            run = await owner.start(options={"script": SLOW_SCRIPT})
            answers = [
                [
                    await other.ask("cancel_run", run_id=run_id),
                    await other.ask("user_message", run_id=run_id, text="hi"),
                ]
                for run_id in (run["run_id"], "r-0")
            ]
            await owner.say("cancel_run", run_id=run["run_id"])
            assert kit.kinds(await owner.hear_until("agent_error"))[-1] == "error:cancelled"
            return answers

    foreign, unknown = kit.go(work())
    assert foreign == unknown
    assert {answer["payload"]["code"] for answer in foreign} == {"not_found"}


def test_users_who_choose_the_same_ids_never_meet(kit: Kit) -> None:
    async def work() -> list[list[Message]]:
        async with (
            kit.Wire.server() as server,
            kit.Wire.client(server, "u1") as one,
            kit.Wire.client(server, "u2") as two,
        ):
            return await asyncio.gather(
                *(
                    client.play(request_id="q", thread_id="t", context={"c": f"token of {name}"})
                    for client, name in ((one, "u1"), (two, "u2"))
                )
            )

    first, second = kit.go(work())
    assert (len(first), len(second)) == (11, 11)
    assert "token of u2" not in json.dumps(first)
    assert "token of u1" not in json.dumps(second)


def test_too_many_runs_at_once_are_refused(kit: Kit) -> None:
    async def talk(client: Client) -> Message:
        for _ in range(2):
            await client.start(options={"script": SLOW_SCRIPT})
            await client.hear_until("agent_thinking")
            await client.hear_until("agent_thinking")
        return await client.ask("start_agent", user_request="hi", request_id="one more")

    assert speak(kit, talk, max_runs_per_session=2)["payload"]["code"] == "too_many_runs"


def test_too_many_messages_that_the_agent_has_not_seen_are_refused(kit: Kit) -> None:
    async def talk(client: Client) -> list[str]:
        run = await client.start(options={"script": SLOW_SCRIPT})
        for _ in range(65):
            await client.say("user_message", run_id=run["run_id"], text="hi")
        answers = (await client.hear_until("error"))[3:]
        return [answer["payload"].get("code", "ack") for answer in answers]

    assert speak(kit, talk) == ["ack"] * 64 + ["too_many_messages"]


def test_a_message_to_a_run_that_has_ended_is_refused(kit: Kit) -> None:
    async def talk(client: Client) -> list[Message]:
        run = await client.start()
        await client.hear_until("run_report")
        return [
            await client.ask("user_message", run_id=run["run_id"], text="hi"),
            await client.ask("user_message", run_id=run["run_id"], text="x" * 20_000),
        ]

    assert [answer["payload"]["code"] for answer in speak(kit, talk)] == ["run_ended", "too_large"]


def masked(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


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


def test_the_largest_message_is_taken(kit: Kit) -> None:
    async def talk(client: Client) -> Message:
        message = json.dumps({"type": "ping", "payload": {"client_ns": 1}})
        await client.socket.send(message + " " * (65_536 - len(message)))
        return await client.hear()

    assert speak(kit, talk)["type"] == "pong"


def test_a_message_in_a_thousand_fragments_is_taken(kit: Kit) -> None:
    async def talk(client: Client) -> Message:
        message = json.dumps({"type": "ping", "payload": {"client_ns": 1}}) + " " * 1_000
        await client.socket.send(list(message))
        return await client.hear()

    assert speak(kit, talk, rate_burst=10)["type"] == "pong"


@pytest.mark.parametrize("opcode", [Opcode.PING, Opcode.TEXT, Opcode.PONG])
def test_a_flood_is_stopped(kit: Kit, opcode: Opcode) -> None:
    async def work() -> int | None:
        async with kit.Wire.server(rate_per_s=1, rate_burst=20) as server, kit.Wire.raw_client(server) as raw:
            await raw.send_bytes(masked(opcode, b"{}") * 200)
            return await raw.closed()

    assert kit.go(work()) == 1008


def test_heartbeats_come_with_pings_and_any_answer_keeps_the_connection(kit: Kit) -> None:
    async def talk(client: Client) -> list[Message]:
        return [await client.hear() for _ in range(5)]

    heard = speak(kit, talk, heartbeat_s=0.05)
    assert [message["type"] for message in heard] == ["heartbeat"] * 5
    stamps = [message["payload"]["server_ns"] for message in heard]
    assert stamps == sorted(stamps)


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
