from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reference_server.outbox import Outbox

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


def test_first_in_first_out_in_batches_of_some_bytes() -> None:
    outbox = Outbox(10, 1_000)
    for message in (b"aaaa", b"bb", b"cc", b"dddd"):
        assert outbox.put(message)
    assert outbox.take(4) == [b"aaaa"]
    assert outbox.take(5) == [b"bb", b"cc"]
    assert outbox.take(1) == [b"dddd"]
    assert outbox.take(1) == []


def test_one_message_too_many_overflows_for_good() -> None:
    overflows: list[str] = []
    outbox = Outbox(2, 1_000)
    outbox.on_overflow = lambda: overflows.append("now")
    assert [outbox.put(b"x") for _ in range(4)] == [True, True, False, False]
    assert overflows == ["now"]
    assert (outbox.take(100), outbox.put(b"x")) == ([], False)


def test_one_byte_too_many_overflows() -> None:
    outbox = Outbox(10, 4)
    assert [outbox.put(b"abc"), outbox.put(b"de")] == [True, False]


def test_what_was_taken_makes_room() -> None:
    outbox = Outbox(1, 3)
    for _ in range(5):
        assert outbox.put(b"abc")
        assert outbox.take(3) == [b"abc"]


def test_the_writer_waits_until_there_is_something(kit: Kit) -> None:
    async def work() -> list[bytes]:
        outbox = Outbox(10, 1_000)
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
        outbox = Outbox(10, 1_000)
        waiting = asyncio.create_task(outbox.ready())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait((waiting,))
        return outbox.put(b"a")

    assert kit.go(work())
