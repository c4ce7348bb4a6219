from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.support.committed import counted

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit, Message

STALL_S = 0.3


def test_a_run_stalls_once_for_as_long_as_was_asked_for_and_loses_nothing(kit: Kit) -> None:
    async def work() -> tuple[list[tuple[float, Message]], tuple[int, int]]:
        async with kit.Wire.server(faults=("silence:1:300ms",)) as server, kit.Wire.client(server) as client:
            await client.start()
            heard: list[tuple[float, Message]] = []
            while not heard or heard[-1][1]["type"] != "agent_completed":
                message = await client.hear()
                if "seq" in message:
                    heard.append((time.monotonic(), message))
            return heard, counted(kit, server, "silence")

    heard, count = kit.go(work())
    assert [event["seq"] for _, event in heard] == list(range(1, 12))
    assert [event["offset"] for _, event in heard] == list(range(1, 12))
    gaps = [after - before for (before, _), (after, _) in pairwise(heard)]
    assert max(gaps) > STALL_S * 0.9
    assert sum(gaps) - max(gaps) < max(gaps)
    assert 1 <= gaps.index(max(gaps)) + 1 <= 8  # before which event: neither the first nor the last
    assert count == (1, 1)


def test_what_is_held_back_when_its_user_leaves_harms_nobody(kit: Kit) -> None:
    async def work() -> int:
        async with kit.Wire.server(faults=("silence:1:100ms",), window_s=5.0) as server:
            async with kit.Wire.client(server) as client:
                await client.start()
            async with kit.Wire.client(server) as client:
                return len([m for m in await client.play() if "seq" in m])

    assert kit.go(work()) == 11
