from itertools import islice

from streamgauge.core.overhead import Arm
from streamgauge.core.slices import Turn
from streamgauge.study.overhead import WARM_UP, blocks


def some(n: int, seed: int = 1) -> list[tuple[Turn, ...]]:
    return list(islice(blocks(3, seed), n))


def test_every_block_has_one_turn_of_each_arm() -> None:
    for number, block in enumerate(some(20)):
        assert {turn.arm for turn in block} == set(Arm)
        assert len(block) == len(Arm)
        assert {turn.block for turn in block} == {number}


def test_the_order_is_random_and_can_be_had_again() -> None:
    orders = {tuple(turn.arm for turn in block) for block in some(20)}
    assert len(orders) > 10
    assert some(5) == some(5)
    assert some(5) != some(5, seed=2)


def test_no_arm_has_a_place_of_its_own() -> None:
    places = {arm: [0] * len(Arm) for arm in Arm}
    for block in some(500):
        for place, turn in enumerate(block):
            places[Arm(turn.arm)][place] += 1
    assert all(60 < count < 140 for counts in places.values() for count in counts)


def test_arms_differ_in_nothing_but_their_emission() -> None:
    turns = {turn.arm: turn for turn in some(3)[-1]}
    assert {arm: turn.options for arm, turn in turns.items()} == {
        "on": {"emission": "on"},
        "on2": {"emission": "on"},
        "encode": {"emission": "encode"},
        "off": {"emission": "off"},
        "idle": {},
    }
    assert {turn.seed for turn in turns.values()} == {turns["on"].seed}
    assert {arm for arm, turn in turns.items() if turn.silent} == {"encode", "off"}
    assert {arm: turn.runs for arm, turn in turns.items()} == {
        "on": 3,
        "on2": 3,
        "encode": 3,
        "off": 3,
        "idle": 0,
    }


def test_the_first_blocks_warm_up() -> None:
    counted = [{turn.counted for turn in block} for block in some(WARM_UP + 2)]
    assert counted == [{False}] * WARM_UP + [{True}] * 2
