from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reference_server.server import ReferenceServer
    from tests.reference_server.conftest import Client, Kit

USERS = ("ann", "ben", "cleo")


def asking(ms: float) -> dict[str, Any]:
    return {"script": [{"do": "tool", "name": "backend", "ms": ms}, {"do": "result"}]}


def replies(kit: Kit, fault: str, *, cancelled: int) -> tuple[list[str], float, float]:
    """Whose data each user's tool brings, where all ask at once and some cancel while the backend works.

    And the opportunities and the strikes that were counted.
    """

    async def ask(server: ReferenceServer, name: str, place: int) -> str:
        async with kit.Wire.client(server, name) as client:
            await asyncio.sleep(place * 0.03)  # so that they stand in line in this order
            run_id = (await client.start(context={"me": name}, options=asking(300)))["run_id"]
            await client.hear_until("tool_executing")
            if place < cancelled:
                await client.say("cancel_run", run_id=run_id)
                await client.hear_until("agent_error")
                return "cancelled"
            (*_, done) = await client.hear_until("tool_completed")
            return str(done["payload"]["result"]["context"]["me"])

    async def work() -> tuple[list[str], float, float]:
        async with kit.Wire.server(faults=(fault,)) as server:
            got = await asyncio.gather(*(ask(server, name, place) for place, name in enumerate(USERS)))
            offers = kit.sample(server.metrics, 'fault_opportunities_total{fault="pooled-mixup"}')
            strikes = kit.sample(server.metrics, 'fault_strikes_total{fault="pooled-mixup"}')
            async with kit.Wire.client(server, "dora") as dora:  # all is quiet again
                assert await _own(dora)
            return list(got), offers, strikes

    return kit.go(work())


async def _own(client: Client) -> bool:
    await asyncio.sleep(0.4)
    await client.start(context={"me": "dora"}, options=asking(10))
    (*_, done) = await client.hear_until("tool_completed")
    return bool(done["payload"]["result"]["context"]["me"] == "dora")


def test_who_waits_for_the_own_reply_gets_it(kit: Kit) -> None:
    assert replies(kit, "pooled-mixup", cancelled=0) == (["ann", "ben", "cleo"], 0, 0)


def test_a_cancelled_call_leaves_its_reply_to_those_behind(kit: Kit) -> None:
    assert replies(kit, "pooled-mixup", cancelled=1) == (["cancelled", "ann", "ben"], 1, 1)


def test_a_call_that_is_spared_takes_its_reply_along(kit: Kit) -> None:
    assert replies(kit, "pooled-mixup:0.000001", cancelled=1) == (["cancelled", "ben", "cleo"], 1, 0)


def test_a_failed_call_fails_as_ever(kit: Kit) -> None:
    async def work() -> list[str]:
        async with kit.Wire.server(faults=("pooled-mixup",)) as server, kit.Wire.client(server) as client:
            script = [{"do": "tool", "name": "backend", "outcome": "error"}, {"do": "result"}]
            return kit.kinds(await client.play(options={"script": script}))

    assert "done:error" in kit.go(work())
