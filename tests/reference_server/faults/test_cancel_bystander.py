from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.reference_server.conftest import Client, Kit

SLOW = {"script": [{"do": "sleep", "ms": 300}, {"do": "result"}]}


def cancel_one(kit: Kit, fault: str) -> tuple[dict[str, str], dict[str, str], float, float]:
    """How each run of Ann ends, who cancels one of her two, and that of Ben; opportunities and strikes."""

    async def work() -> tuple[dict[str, str], dict[str, str], float, float]:
        async with (
            kit.Wire.server(faults=(fault,)) as server,
            kit.Wire.client(server, "ann") as ann,
            kit.Wire.client(server, "ben") as ben,
        ):
            await ben.start(request_id="ben's", options=SLOW)
            cancelled = (await ann.start(request_id="cancelled", options=SLOW))["run_id"]
            heard = await ann.hear_until("agent_thinking")  # so that what comes next is all of both
            await ann.say("start_agent", user_request="hi", request_id="bystander", options=SLOW)
            heard += await ann.hear_until("run_accepted")
            await ann.say("cancel_run", run_id=cancelled)
            endings = await _endings(kit, ann, 2)
            offers = kit.sample(server.metrics, 'fault_opportunities_total{fault="cancel-bystander"}')
            strikes = kit.sample(server.metrics, 'fault_strikes_total{fault="cancel-bystander"}')
            return endings, await _endings(kit, ben, 1), offers, strikes

    return kit.go(work())


async def _endings(kit: Kit, client: Client, runs: int) -> dict[str, str]:
    endings: dict[str, str] = {}
    while len(endings) < runs:
        (*_, ending) = await client.hear_until("agent_completed", "agent_error")
        endings[ending["payload"]["request_id"]] = kit.kinds([ending])[0]
    return endings


def test_the_users_other_run_is_cancelled_too(kit: Kit) -> None:
    both = {"cancelled": "error:cancelled", "bystander": "error:cancelled"}
    assert cancel_one(kit, "cancel-bystander") == (both, {"ben's": "completed"}, 1, 1)


def test_a_bystander_that_is_spared_completes(kit: Kit) -> None:
    one = {"cancelled": "error:cancelled", "bystander": "completed"}
    assert cancel_one(kit, "cancel-bystander:0.000001") == (one, {"ben's": "completed"}, 1, 0)


def test_without_a_bystander_there_is_no_opportunity(kit: Kit) -> None:
    async def work() -> float:
        async with kit.Wire.server(faults=("cancel-bystander",)) as server, kit.Wire.client(server) as client:
            run_id = (await client.start(options=SLOW))["run_id"]
            await client.say("cancel_run", run_id=run_id)
            await client.hear_until("agent_error")
            return kit.total(server.metrics, "fault_opportunities_total")

    assert kit.go(work()) == 0
