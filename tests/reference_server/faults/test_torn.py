from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.committed import counted

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit, Message


def heard(kit: Kit, runs: int, **fields: object) -> tuple[list[Message], list[str], tuple[int, int]]:
    """The events that can be read, the messages that cannot, and the server's count."""

    async def work() -> tuple[list[Message], list[str], tuple[int, int]]:
        events: list[Message] = []
        torn: list[str] = []
        async with kit.Wire.server(faults=("torn",)) as server, kit.Wire.client(server) as client:
            for number in range(runs):
                await client.say("start_agent", user_request="größer", request_id=f"q-{number}", **fields)
                while True:
                    text = str(await client.socket.recv())
                    try:
                        message = json.loads(text)
                    except json.JSONDecodeError:
                        torn.append(text)
                        continue
                    if "seq" in message:
                        events.append(message)
                    elif message["type"] == "run_report":
                        break
            return events, torn, counted(kit, server, "torn")

    return kit.go(work())


def test_two_neighbours_become_one_message_that_nobody_can_read(kit: Kit) -> None:
    events, torn, count = heard(kit, 12)
    assert len(torn) == 12
    assert count == (12, 12)
    assert all(text.count('"seq":') == 2 for text in torn)
    assert any(text.count("größer") == 2 for text in torn)
    missing = sorted(set(range(1, 133)) - {event["offset"] for event in events})
    assert len(missing) == 24
    for first, second in zip(missing[::2], missing[1::2], strict=True):
        assert second == first + 1
        assert 2 <= (first - 1) % 11 + 1 <= 9


def test_a_run_too_short_is_left_alone_or_torn_inside(kit: Kit) -> None:
    events, torn, (strikes, opportunities) = heard(kit, 40, options={"script": [{"do": "no_result"}]})
    assert 0 < strikes == len(torn) < opportunities == 40
    assert len(events) == 160 - 2 * strikes
    assert sum(event["type"] == "agent_error" for event in events) == 40
