from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.committed import committed, counted

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit, Message


def test_one_event_of_a_run_names_another_user(kit: Kit) -> None:
    async def work() -> tuple[list[list[Message]], tuple[int, int]]:
        async with (
            kit.Wire.server(faults=("foreign-metadata",)) as server,
            kit.Wire.client(server, "ann") as ann,
            kit.Wire.client(server, "ben") as ben,
        ):
            played = []
            for client in (ann, ben) * 6:
                played.append(await client.play())
                await client.hear_until("run_report")
            return played, counted(kit, server, "foreign-metadata")

    played, count = kit.go(work())
    assert count == (11, 11)  # at the first run nobody else had been served
    assert {event["user_id"] for event in played[0]} == {"ann"}
    places = set()
    for number, run in enumerate(played[1:], 1):
        own, other = ("ben", "ann") if number % 2 else ("ann", "ben")
        (stray,) = (event for event in run if event["user_id"] == other)
        assert {event["user_id"] for event in run} == {own, other}
        assert [event["seq"] for event in run] == list(range(1, 12))
        places.add(stray["seq"])
    assert places <= set(range(2, 10))
    assert len(places) > 1


def test_alone_there_is_nobody_to_be_named(kit: Kit) -> None:
    heard = committed(kit, "foreign-metadata", runs=3)
    assert {event["user_id"] for run in heard.runs for event in run} == {"u1"}
    assert (heard.strikes, heard.opportunities) == (0, 0)
