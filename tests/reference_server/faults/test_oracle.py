from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit

LONG = {"script": [{"do": "sleep", "ms": 60_000}]}


def ask_about_a_foreign_run(kit: Kit, fault: tuple[str, ...], *, ended: bool) -> tuple[str, str, float]:
    """The codes that cancelling a foreign run and no run at all get, and the strikes that were counted."""

    async def work() -> tuple[str, str, float]:
        async with (
            kit.Wire.server(faults=fault) as server,
            kit.Wire.client(server, "ann") as ann,
            kit.Wire.client(server, "eve") as eve,
        ):
            run_id = (await ann.start(options=LONG))["run_id"]
            if ended:
                await ann.say("cancel_run", run_id=run_id)
                await ann.hear_until("agent_error")
                await ann.hear_until("run_report")
            foreign = await eve.ask("cancel_run", run_id=run_id)
            absent = await eve.ask("cancel_run", run_id="r-0")
            strikes = kit.sample(server.metrics, 'fault_strikes_total{fault="oracle"}')
            return foreign["payload"]["code"], absent["payload"]["code"], strikes

    return kit.go(work())


@pytest.mark.parametrize("ended", [False, True])
def test_a_foreign_run_is_told_from_none(kit: Kit, *, ended: bool) -> None:
    assert ask_about_a_foreign_run(kit, ("oracle",), ended=ended) == ("forbidden", "not_found", 1)
    assert ask_about_a_foreign_run(kit, (), ended=ended) == ("not_found", "not_found", 0)


def test_ones_own_run_is_cancelled_as_ever(kit: Kit) -> None:
    async def work() -> None:
        async with kit.Wire.server(faults=("oracle",)) as server, kit.Wire.client(server) as client:
            run_id = (await client.start(options=LONG))["run_id"]
            await client.say("cancel_run", run_id=run_id)
            assert kit.kinds(await client.hear_until("agent_error"))[-1] == "error:cancelled"
            assert kit.total(server.metrics, "fault_opportunities_total") == 0

    kit.go(work())
