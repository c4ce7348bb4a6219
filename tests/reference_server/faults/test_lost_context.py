from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit

# more than the pool has threads, so that each of them has somebody's context before the second user comes
CALLS = {"do": "parallel", "steps": [{"do": "tool", "name": "t", "ms": 30, "thread": True}] * 8}
LOOP = {"do": "tool", "name": "t", "thread": False}


def owners(kit: Kit, fault: str, step: object) -> tuple[set[str], set[str], float]:
    """Whose context the tools of two users show, one user after the other, and the strikes."""

    async def work() -> tuple[set[str], set[str], float]:
        async with kit.Wire.server(faults=(fault,)) as server:
            ann, ben = set[str](), set[str]()
            for name, shown in (("ann", ann), ("ben", ben)):
                async with kit.Wire.client(server, name) as client:
                    options = {"script": [step, {"do": "result"}]}
                    events = await client.play(context={"me": name}, options=options)
                    results = [
                        event["payload"]["result"] for event in events if event["type"] == "tool_completed"
                    ]
                    shown |= {result["context"]["me"] for result in results}
            return ann, ben, kit.sample(server.metrics, 'fault_strikes_total{fault="lost-context"}')

    return kit.go(work())


def test_a_thread_of_the_pool_keeps_its_first_user(kit: Kit) -> None:
    assert owners(kit, "lost-context", CALLS) == ({"ann"}, {"ann"}, 8)


def test_a_call_that_is_spared_brings_its_context(kit: Kit) -> None:
    assert owners(kit, "lost-context:0.000001", CALLS) == ({"ann"}, {"ben"}, 0)


def test_what_works_on_the_loop_is_right(kit: Kit) -> None:
    assert owners(kit, "lost-context", LOOP) == ({"ann"}, {"ben"}, 0)
