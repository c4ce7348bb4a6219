from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit

SLOW = {"script": [{"do": "sleep", "ms": 60_000}, {"do": "result"}]}


@pytest.mark.parametrize(
    ("faults", "some", "all_"), [((), 0, 0), (("ghost-run",), 8, 8), (("ghost-run:0.5",), 1, 7)]
)
def test_runs_go_on_when_their_session_has_ended(
    kit: Kit, faults: tuple[str, ...], some: int, all_: int
) -> None:
    async def work() -> tuple[float, float, float]:
        async with kit.Wire.server(faults=faults, fault_seed=2) as server:
            async with kit.Wire.client(server) as client:
                for number in range(8):
                    await client.say("start_agent", user_request="hi", request_id=f"q{number}", options=SLOW)
                await kit.eventually(lambda: len(server.gateway.runs) == 8)
            await kit.eventually(lambda: not server.gateway.sessions)
            await asyncio.sleep(0.2)
            counted = [
                kit.sample(server.metrics, line)
                for line in (
                    "runs_active",
                    *(f'fault_{what}_total{{fault="ghost-run"}}' for what in ("strikes", "opportunities")),
                )
            ]
            return counted[0], counted[1], counted[2]

    left, strikes, opportunities = kit.go(work())
    assert some <= left <= all_
    assert strikes == left
    assert opportunities == (8 if faults else 0)
