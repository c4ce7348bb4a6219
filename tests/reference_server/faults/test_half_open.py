from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from reference_server.faults import commit
from reference_server.metrics import Metrics
from reference_server.parts import MAX_UNANSWERED, Parts

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


@pytest.mark.parametrize(("faults", "left"), [((), 1), (("half-open",), 2)])
def test_a_dead_peer_stays(kit: Kit, faults: tuple[str, ...], left: int) -> None:
    async def work() -> None:
        async with (
            kit.Wire.server(heartbeat_s=0.3, faults=faults) as server,
            kit.Wire.raw_client(server),
            kit.Wire.client(server, "reader"),
        ):
            if faults:
                strikes = 'fault_strikes_total{fault="half-open"}'
                await kit.eventually(lambda: kit.sample(server.metrics, strikes) == 1)
                await asyncio.sleep(1.5)  # more than a close would take
            await kit.eventually(lambda: kit.sample(server.metrics, "connections") == left)

    kit.go(work())


def test_each_dead_peer_is_an_opportunity_and_the_others_are_reaped(kit: Kit) -> None:
    metrics = Metrics()
    parts = commit(["half-open:0.3"], 1, Parts(), metrics)
    sessions = [kit.Stage.session(f"u{n}") for n in range(50)]
    assert not any(parts.is_dead(session, MAX_UNANSWERED - 1) for session in sessions)
    reaped = [session for session in sessions if parts.is_dead(session, MAX_UNANSWERED)]
    kept = [session for session in sessions if session not in reaped]
    assert not any(parts.is_dead(session, 100) for session in kept)
    assert 0 < len(kept) < 50
    assert kit.sample(metrics, 'fault_strikes_total{fault="half-open"}') == len(kept)
    assert kit.sample(metrics, 'fault_opportunities_total{fault="half-open"}') == 50
