"""A client and its runs over one connection, from the greeting on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.support.client_talk import SLOW_SCRIPT, speak

if TYPE_CHECKING:
    from tests.reference_server.conftest import Client, Kit, Message


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


def test_heartbeats_come_with_pings_and_any_answer_keeps_the_connection(kit: Kit) -> None:
    async def talk(client: Client) -> list[Message]:
        return [await client.hear() for _ in range(5)]

    heard = speak(kit, talk, heartbeat_s=0.05)
    assert [message["type"] for message in heard] == ["heartbeat"] * 5
    stamps = [message["payload"]["server_ns"] for message in heard]
    assert stamps == sorted(stamps)
