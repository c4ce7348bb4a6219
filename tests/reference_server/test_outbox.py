from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reference_server.losses import Losses
from reference_server.metrics import Metrics
from reference_server.outbox import Outbox

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


def an_outbox(max_messages: int, max_bytes: int, metrics: Metrics | None = None) -> Outbox:
    return Outbox(max_messages, max_bytes, Losses(metrics or Metrics(), "c1"))


def test_first_in_first_out_in_batches_of_some_bytes() -> None:
    outbox = an_outbox(10, 1_000)
    for message in (b"aaaa", b"bb", b"cc", b"dddd"):
        assert outbox.put(message)
    assert outbox.take(4) == [b"aaaa"]
    assert outbox.take(5) == [b"bb", b"cc"]
    assert outbox.take(1) == [b"dddd"]
    assert outbox.take(1) == []


def test_one_message_too_many_overflows_for_good() -> None:
    overflows: list[str] = []
    outbox = an_outbox(2, 1_000)
    outbox.on_overflow = lambda: overflows.append("now")
    assert [outbox.put(b"x") for _ in range(4)] == [True, True, False, False]
    assert overflows == ["now"]
    assert (outbox.take(100), outbox.put(b"x")) == ([], False)


def test_closing_tells_how_many_it_dropped(kit: Kit) -> None:
    metrics = Metrics()
    outbox = an_outbox(10, 1_000, metrics)
    for _ in range(4):
        outbox.put(b"x")
    outbox.take(1)
    assert (outbox.close(), outbox.close(), len(outbox)) == (3, 0, 0)
    assert kit.sample(metrics, 'delivery_failures_total{reason="overflow"}') == 0


def test_every_message_that_is_not_taken_is_counted_under_its_reason(kit: Kit) -> None:
    metrics = Metrics()
    outbox = an_outbox(3, 1_000, metrics)
    for _ in range(6):  # three fit, the fourth drops them all, two come afterwards
        outbox.put(b"x")
    assert kit.sample(metrics, 'delivery_failures_total{reason="overflow"}') == 4
    assert kit.sample(metrics, 'delivery_failures_total{reason="no_reader"}') == 2


def test_one_byte_too_many_overflows() -> None:
    outbox = an_outbox(10, 4)
    assert [outbox.put(b"abc"), outbox.put(b"de")] == [True, False]


def test_what_was_taken_makes_room() -> None:
    outbox = an_outbox(1, 3)
    for _ in range(5):
        assert outbox.put(b"abc")
        assert outbox.take(3) == [b"abc"]


def test_the_writer_waits_until_there_is_something(kit: Kit) -> None:
    async def work() -> list[bytes]:
        outbox = an_outbox(10, 1_000)
        waiting = asyncio.create_task(outbox.ready())
        await asyncio.sleep(0)
        assert not waiting.done()
        outbox.put(b"a")
        outbox.put(b"b")
        await waiting
        await outbox.ready()  # there is something still
        return outbox.take(100)

    assert kit.go(work()) == [b"a", b"b"]


def test_a_writer_that_gave_up_is_no_hindrance(kit: Kit) -> None:
    async def work() -> bool:
        outbox = an_outbox(10, 1_000)
        waiting = asyncio.create_task(outbox.ready())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait((waiting,))
        return outbox.put(b"a")

    assert kit.go(work())
