"""Whatever a fault does to the stream: plain events taken together are read as each alone."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from streamgauge.core.canary import mint
from streamgauge.core.stretch import unfolded
from streamgauge.protocol.native import NATIVE
from streamgauge.protocol.observe import Observer
from tests.support.compiled import compiled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streamgauge.core.observation import Observation
    from tests.reference_server.conftest import Client, Kit

FAULTS = (
    *("drop-silent", "completed-first", "two-terminals", "corrupt-delta", "wrong-echo", "foreign-metadata"),
    *("clock-lie", "broadcast", "first-event-race", "drop", "tail-loss", "duplicate", "batching", "torn"),
    *("silence:1:30ms", "swap", "drop-thinking", "shared-global"),
)
CANARIES = {name: mint(random.Random(name)) for name in ("ann", "ben")}
RUNS = 6


def said(kit: Kit, fault: str) -> list[bytes]:
    """What the server said to ann while she and ben had two runs each at a time."""

    async def ask(client: Client, name: str, number: int) -> None:
        for twin in ("a", "b"):
            context = {"canary": CANARIES[name]}
            request = f"{name}-{number}{twin}"
            await client.say("start_agent", user_request=CANARIES[name], request_id=request, context=context)

    async def hear(client: Client) -> list[bytes]:
        heard: list[bytes] = []
        while sum(message.startswith(b'{"type":"run_report"') for message in heard) < 2:
            heard.append(str(await client.socket.recv()).encode())
        return heard

    async def work() -> list[bytes]:
        messages = []
        async with (
            kit.Wire.server(faults=(fault,)) as server,
            kit.Wire.client(server, "ann") as ann,
            kit.Wire.client(server, "ben") as ben,
        ):
            for number in range(RUNS):
                await ask(ann, "ann", number)
                await ask(ben, "ben", number)
                messages += await hear(ann)
                await hear(ben)
        return messages

    return kit.go(work())


def read(messages: list[bytes], seed: int) -> Iterator[Observation]:
    """The rows of reads that bring a few messages each; a read's plain events are taken together."""
    observer, rng, start = _observer(), random.Random(seed), 0
    while start < len(messages):
        batch = messages[start : start + rng.randint(1, 8)]
        start += len(batch)
        place = 0
        while place < len(batch):
            stretch = observer.gather(batch, place, start, 0, exact=False)
            if stretch is None:
                yield observer.observe(batch[place], start, 0, exact=False)
                place += 1
            else:
                yield stretch
                place += len(stretch.forms) + (stretch.accepted > 0)


def _observer() -> Observer:
    return Observer(1, CANARIES["ann"], NATIVE.reader(), 65_536)


def without_times(rows: list[Observation]) -> list[Observation]:
    return [replace(row, at_ns=0) for row in rows]


@pytest.mark.parametrize("fault", FAULTS)
def test_both_ways_of_reading_agree(kit: Kit, fault: str) -> None:
    compiled("streamgauge.protocol._native")
    messages = said(kit, fault)
    alone = _observer()
    expected = [alone.observe(message, 0, 0, exact=False) for message in messages]
    for seed in range(5):
        gathered = list(read(messages, seed))
        assert len(gathered) < len(messages)  # some were taken together
        assert without_times(list(unfolded(gathered))) == expected
