"""What clients of a real server hear while it commits faults on purpose, and what it counts of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tests.reference_server.conftest import Client, Kit, Message

NO_TOOL = {"script": [{"do": "think"}, {"do": "result"}]}


class Committed(NamedTuple):
    """The events of each run as they came, and the server's own count of the faults."""

    runs: list[list[Message]]
    strikes: int
    opportunities: int

    @property
    def numbers(self) -> list[list[int]]:
        """The `seq` of each run's events."""
        return [[event["seq"] for event in run] for run in self.runs]

    @property
    def offsets(self) -> list[int]:
        return [event["offset"] for run in self.runs for event in run]


def counted(kit: Kit, server: Any, fault: str) -> tuple[int, int]:
    """How often a fault struck, and could have."""
    name = fault.partition(":")[0]
    strikes, opportunities = (
        int(kit.sample(server.metrics, f'fault_{what}_total{{fault="{name}"}}'))
        for what in ("strikes", "opportunities")
    )
    return strikes, opportunities


async def hear_all(client: Client) -> list[Message]:
    """Every event up to the answer to a ping: what was sent before it has come."""
    await client.say("ping", client_ns=1)
    return [message for message in await client.hear_until("pong") if "seq" in message]


def committed(kit: Kit, fault: str, runs: int = 1, seed: int = 0, **fields: Any) -> Committed:
    """Have one user play some runs, one after the other."""

    async def work() -> Committed:
        async with (
            kit.Wire.server(faults=(fault,), fault_seed=seed) as server,
            kit.Wire.client(server) as client,
        ):
            heard = []
            for _ in range(runs):
                await client.start(**fields)
                events = await client.hear_until("run_report")
                heard.append([message for message in events if "seq" in message] + await hear_all(client))
            return Committed(heard, *counted(kit, server, fault))

    return kit.go(work())
