from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


def asked_in_turn(kit: Kit, fault: str, *asked: tuple[str, str]) -> tuple[list[str], float]:
    """Whose context is in each answer, of a user and a prompt after the other, and the strikes."""

    async def work() -> tuple[list[str], float]:
        async with kit.Wire.server(faults=(fault,)) as server:
            answers = []
            for name, prompt in asked:
                async with kit.Wire.client(server, name) as client:
                    events = await client.play(user_request=prompt, context={"me": name})
                    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
                    answer = events[-1]["payload"]["result"]["answer"]
                    assert prompt in answer
                    answers += [who for who in ("ann", "ben") if f'"me":"{who}"' in answer]
            return answers, kit.sample(server.metrics, 'fault_strikes_total{fault="cache-key"}')

    return kit.go(work())


def test_an_equal_prompt_gets_the_answer_of_who_asked_first(kit: Kit) -> None:
    asked = (("ann", "hi"), ("ben", "hi"), ("ben", "hi"), ("ann", "hi"))
    assert asked_in_turn(kit, "cache-key", *asked) == (["ann", "ann", "ann", "ann"], 2)


def test_another_prompt_gets_its_own_answer(kit: Kit) -> None:
    assert asked_in_turn(kit, "cache-key", ("ann", "hi"), ("ben", "hello")) == (["ann", "ben"], 0)


def test_a_run_that_is_spared_works_itself(kit: Kit) -> None:
    asked = (("ann", "hi"), ("ben", "hi"))
    assert asked_in_turn(kit, "cache-key:0.000001", *asked) == (["ann", "ben"], 0)


@pytest.mark.parametrize("last", [{"do": "no_result"}, {"do": "fail"}])
def test_what_brought_no_answer_is_not_kept(kit: Kit, last: dict[str, str]) -> None:
    async def work() -> str:
        async with kit.Wire.server(faults=("cache-key",)) as server:
            async with kit.Wire.client(server, "ann") as ann:
                await ann.play(user_request="hi", options={"script": [last]})
            async with kit.Wire.client(server, "ben") as ben:
                return kit.kinds(await ben.play(user_request="hi"))[-1]

    assert kit.go(work()) == "completed"
