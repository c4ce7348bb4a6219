from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reference_server.server import ReferenceServer
    from tests.reference_server.conftest import Kit, Message

    Heard = tuple[dict[str, list[Message]], tuple[float, float]]


def lockstep(kit: Kit, users: int, fault: str, runs: int = 5) -> Heard:
    """What events each user got, whosever they were; how many strikes and opportunities were counted."""

    async def work() -> Heard:
        all_done = asyncio.Barrier(users)

        async def play(server: ReferenceServer, name: str) -> list[Message]:
            async with kit.Wire.client(server, name) as client:
                heard: list[Message] = []
                for number in range(runs):
                    request = {"request_id": f"{name} {number}", "context": {"canary": f"canary of {name}"}}
                    await client.say("start_agent", user_request="hello", **request)
                    heard += await client.hear_until("run_report")
                await all_done.wait()
                await client.say("ping", client_ns=1)  # what went astray to this user is before the pong
                heard += await client.hear_until("pong")
                return [message for message in heard if "seq" in message]

        async with kit.Wire.server(faults=(fault,)) as server:
            names = [f"u{number}" for number in range(users)]
            heard = await asyncio.gather(*(play(server, name) for name in names))
            struck, chances = (
                kit.sample(server.metrics, f'fault_{what}_total{{fault="shared-global"}}')
                for what in ("strikes", "opportunities")
            )
            return dict(zip(names, heard, strict=True)), (struck, chances)

    return kit.go(work())


def strays(found: dict[str, list[Message]]) -> list[tuple[str, Message]]:
    """Events whose context names another user than the one who got them."""
    return [
        (name, event)
        for name, events in found.items()
        for event in events
        if any(f"canary of {other}" in str(event["payload"]) for other in found if other != name)
    ]


def test_alone_nothing_goes_astray(kit: Kit) -> None:
    found, counted = lockstep(kit, 1, "shared-global")
    assert counted == (0, 5)
    assert [event["seq"] for event in found["u0"]] == list(range(1, 12)) * 5


def test_one_event_of_a_run_goes_to_another_user(kit: Kit) -> None:
    found, (strikes, _) = lockstep(kit, 4, "shared-global")
    assert strikes > 0
    owners = {
        event["run_id"]: name for name, events in found.items() for event in events if event["seq"] == 1
    }
    seen: dict[str, list[int]] = {run_id: [] for run_id in owners}
    foreign: list[Message] = []
    for name, events in found.items():
        assert [event["offset"] for event in events] == list(range(1, len(events) + 1))
        assert {event["user_id"] for event in events} == {name}
        for event in events:
            if owners[event["run_id"]] == name:
                seen[event["run_id"]].append(event["seq"])
            else:
                foreign.append(event)
    assert len(foreign) == strikes
    for event in foreign:
        assert 2 <= event["seq"] <= 10
        assert event["seq"] not in seen[event["run_id"]]
    for numbers in seen.values():
        assert numbers == sorted(numbers)
        assert len(numbers) >= 10
    assert strays(found)


def test_at_a_rate_few_runs_are_struck(kit: Kit) -> None:
    _, (strikes, _) = lockstep(kit, 4, "shared-global:0.1", runs=10)
    assert 0 < strikes < 20
