from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit, Message

    Heard = tuple[list[Message], list[Message], tuple[float, float]]

SLOW = {"script": [{"do": "sleep", "ms": 50}, {"do": "think", "text": "late"}, {"do": "result"}]}
QUICK = {"script": [{"do": "sleep", "ms": 200}, {"do": "result"}]}


def two_begin(kit: Kit, fault: str, threads: tuple[str, str]) -> Heard:
    """All events that Ann and then Ben get, who begin a run one after the other; strikes, opportunities."""

    async def work() -> Heard:
        async with (
            kit.Wire.server(faults=(fault,)) as server,
            kit.Wire.client(server, "ann") as ann,
            kit.Wire.client(server, "ben") as ben,
        ):
            await ann.start(thread_id=threads[0], options=SLOW)
            at_ann = await ann.hear_until("agent_thinking")
            await ben.start(thread_id=threads[1], options=QUICK)
            at_ben = await ben.hear_until("agent_completed")
            await ann.say("ping", client_ns=1)
            at_ann += await ann.hear_until("pong")
            struck, chances = (
                kit.sample(server.metrics, f'fault_{what}_total{{fault="colliding-ids"}}')
                for what in ("strikes", "opportunities")
            )
            return _events(at_ann), _events(at_ben), (struck, chances)

    return kit.go(work())


def _events(messages: list[Message]) -> list[Message]:
    return [message for message in messages if "seq" in message]


def test_what_is_under_way_goes_to_the_last_who_chose_the_name(kit: Kit) -> None:
    at_ann, at_ben, counted = two_begin(kit, "colliding-ids", ("t-1", "t-1"))
    assert counted == (1, 2)
    assert {event["user_id"] for event in at_ann} == {"ann"}
    astray = [event for event in at_ben if event["user_id"] == "ann"]
    assert [event["seq"] for event in (*at_ann, *astray)] == [1, 2, 3, 4, 5, 6]
    assert kit.kinds(astray)[-3:] == ["A", "P3", "completed"]
    assert [event["offset"] for event in at_ben] == list(range(1, len(at_ben) + 1))


def test_names_of_ones_own_never_collide(kit: Kit) -> None:
    at_ann, at_ben, counted = two_begin(kit, "colliding-ids", ("t-1", "t-2"))
    assert counted == (0, 2)
    assert {event["user_id"] for event in at_ben} == {"ben"}
    assert kit.kinds(at_ann)[-1] == "completed"
    assert len(at_ann) == 6


def test_a_run_that_is_spared_stays_where_it_is(kit: Kit) -> None:
    at_ann, _, counted = two_begin(kit, "colliding-ids:0.000001", ("t-1", "t-1"))
    assert counted == (0, 2)
    assert len(at_ann) == 6
