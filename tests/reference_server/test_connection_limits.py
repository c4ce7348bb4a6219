"""What a client may ask of a connection, and how much: the rest is refused, and harms nobody."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from websockets.frames import Opcode

from tests.support.client_talk import SLOW_SCRIPT, masked, speak

if TYPE_CHECKING:
    from tests.reference_server.conftest import Client, Kit, Message


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
