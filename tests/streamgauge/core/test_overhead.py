import random
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest
from msgspec.structs import replace

from streamgauge.core.overhead import (
    MOST_BLOCKS,
    WITH_RUNS,
    Arm,
    Effect,
    _rank,
    doubts,
    effect,
    least_blocks,
    overhead,
)
from streamgauge.core.slices import Slice

RUNS = 10


def spent(
    block: int, arm: Arm, cpu: float, *, execution: float = 0, emission: float = 0, runs: int = RUNS
) -> Slice:
    """A slice by what each of its runs cost."""
    cpu_ns, execution_ns, emission_ns = (round(each * runs) for each in (cpu, execution, emission))
    events = 11 * runs if arm in {Arm.ON, Arm.ON2, Arm.ENCODE} else 0
    return Slice(block, arm, runs, runs, cpu_ns, execution_ns, emission_ns, events, execution, emission)


def literal(block: int, **cpu: float) -> Iterator[Slice]:
    """A block by the processor time of each arm's runs, and 50 ns in all for an idle slice."""
    for arm, each in cpu.items():
        yield spent(block, Arm(arm), each, execution=10 * each, emission=each / 2)
    yield Slice(block, Arm.IDLE, 0, 0, 50, 0, 0, 0, 0, 0)


def blocks(*costs: tuple[float, float, float, float]) -> list[Slice]:
    return [
        one
        for n, (on, on2, encode, off) in enumerate(costs)
        for one in literal(n, on=on, on2=on2, encode=encode, off=off)
    ]


SIX = [
    (30, 32, 24, 20),
    (31, 31, 25, 20),
    (32, 30, 24, 21),
    (30, 30, 25, 20),
    (33, 31, 24, 19),
    (30, 32, 25, 20),
]


def test_events_cost_what_runs_with_them_cost_more_than_runs_without() -> None:
    found = overhead(blocks(*SIX))
    assert found is not None
    assert (found.blocks, found.left_out, found.runs, found.events_per_run) == (6, 0, 240, 11)
    cpu = found.cpu
    assert cpu is not None
    assert cpu.events == Effect(11, 10, 13, 11, 6)
    assert cpu.encoding == Effect(4.5, 3, 5, 4.5, 6)
    assert cpu.sending == Effect(6.5, 5, 8, 6.5, 6)
    assert (cpu.control.low_ns, cpu.control.high_ns, cpu.control.holds_zero) == (-2, 2, True)


def test_shares_are_of_the_whole_without_what_the_reading_of_the_time_costs() -> None:
    found = overhead(blocks(*SIX))
    assert found is not None
    assert found.cpu is not None
    assert found.cpu.whole_ns == 31 - 5
    assert found.cpu.share == 11 / 26


def test_the_time_spent_in_emitting_is_a_share_of_the_runs_time() -> None:
    found = overhead(blocks(*SIX))
    assert found is not None
    assert found.emission is not None
    assert found.execution is not None
    assert found.emission.whole_ns == found.execution.whole_ns == 310
    assert found.emission.events.value_ns == 5.5


def test_of_times_the_typical_run_counts_and_the_mean_stands_beside_it() -> None:
    both = ("on", "on2")
    slices = [
        replace(one, typical_emission_ns=30.0, emission_ns=350) for one in blocks(*SIX) if one.arm in both
    ]
    slices += [
        replace(one, typical_emission_ns=0.0, emission_ns=0) for one in blocks(*SIX) if one.arm not in both
    ]
    found = overhead(slices)
    assert found is not None
    assert found.emission is not None
    assert found.emission.events == Effect(30, 30, 30, 35, 6)


def test_without_slices_there_is_nothing() -> None:
    assert overhead([]) is None
    assert [doubt.voids for doubt in doubts(None)] == ["verdict"]


@pytest.mark.parametrize("arm", Arm)
def test_a_block_that_lacks_an_arm_is_left_out(arm: Arm) -> None:
    slices = [one for one in blocks(*SIX) if (one.block, one.arm) != (2, arm)]
    found = overhead(slices)
    assert found is not None
    assert (found.blocks, found.left_out) == (5, 1)


def test_a_block_that_lacks_the_account_of_a_run_is_left_out() -> None:
    lacking = Slice(0, Arm.ON, RUNS, RUNS - 1, 300, 0, 0, 0, 0, 0)
    found = overhead([lacking, *(one for one in blocks(*SIX) if (one.block, one.arm) != (0, Arm.ON))])
    assert found is not None
    assert (found.blocks, found.left_out) == (5, 1)


def test_a_block_without_runs_is_left_out() -> None:
    found = overhead(Slice(0, arm, 0, 0, 5, 0, 0, 0, 0, 0) for arm in Arm)
    assert found is not None
    assert (found.blocks, found.left_out, found.runs, found.events_per_run) == (0, 1, 0, 0)


def test_too_few_blocks_give_no_figure_but_a_doubt() -> None:
    found = overhead(blocks(*SIX[:5]))
    assert found is not None
    assert (found.cpu, found.emission, found.execution) == (None, None, None)
    assert [(doubt.value, doubt.limit, doubt.voids) for doubt in doubts(found)] == [
        ("5 whole blocks", "at least 6", "verdict")
    ]


def test_a_server_that_does_not_say_its_time_leaves_the_others() -> None:
    silent = [replace(one, cpu_ns=None) for one in blocks(*SIX)]
    found = overhead(silent)
    assert found is not None
    assert found.cpu is None
    assert found.emission is not None
    assert [doubt.voids for doubt in doubts(found)] == [""]


def test_a_control_that_finds_a_difference_is_a_doubt() -> None:
    found = overhead(blocks(*((on + 5, on2, encode, off) for on, on2, encode, off in SIX)))
    assert len(list(doubts(found))) == 3
    assert not list(doubts(overhead(blocks(*SIX))))


# The interval


def test_six_blocks_are_the_least() -> None:
    assert least_blocks() == 6


@pytest.mark.parametrize(
    ("n", "rank"),
    # one more than the critical values of the two-sided signed-rank test at 0.05 (any table of it)
    [(5, 0), (6, 1), (7, 3), (8, 4), (9, 6), (10, 9), (15, 26), (20, 53), (25, 90), (30, 138), (50, 435)],
)
def test_ranks_are_those_of_the_tables(n: int, rank: int) -> None:
    assert _rank(n) == rank


def test_the_approximation_goes_on_where_the_exact_ranks_end() -> None:
    steps = np.diff([_rank(n) for n in range(50, 72)])
    assert all(later >= earlier - 1 for earlier, later in pairwise(steps))


def test_a_disturbed_block_hardly_moves_the_centre() -> None:
    calm = effect(np.array([9.0, 10, 11, 10, 9, 11, 10, 10, 9, 11, 10, 10]))
    disturbed = effect(np.array([9.0, 10, 11, 10, 9, 11, 10, 10, 9, 11, 10, 10_000]))
    assert calm.value_ns == disturbed.value_ns == 10
    assert disturbed.high_ns < 12
    assert disturbed.mean_ns > 800


def test_many_blocks_are_put_together() -> None:
    found = effect(np.arange(3 * MOST_BLOCKS + 2, dtype=float))
    assert found.blocks == 3 * MOST_BLOCKS + 2
    assert found.value_ns == pytest.approx(1.5 * MOST_BLOCKS, rel=0.01)


def normal(rng: random.Random) -> float:
    return rng.gauss(0, 1)


def disturbed(rng: random.Random) -> float:
    return rng.gauss(0, 1 if rng.random() < 0.9 else 10)


def heavy(rng: random.Random) -> float:
    return rng.gauss(0, 1) / max(1e-3, abs(rng.gauss(0, 1)))


@pytest.mark.parametrize("noise", [normal, disturbed, heavy])
@pytest.mark.parametrize("n", [8, 40])
def test_the_interval_covers_the_true_effect_as_often_as_it_says(
    n: int, noise: Callable[[random.Random], float]
) -> None:
    rng = random.Random(f"coverage {n}")
    repeats, true = 1_000, 5.0
    held = sum(
        found.low_ns <= true <= found.high_ns
        for found in (effect(np.array([true + noise(rng) for _ in range(n)])) for _ in range(repeats))
    )
    assert 0.93 * repeats <= held <= 0.975 * repeats


def test_a_known_effect_is_found_in_slices_that_a_noisy_machine_made() -> None:
    rng = random.Random(7)
    cost = {Arm.ON: 600, Arm.ON2: 600, Arm.ENCODE: 480, Arm.OFF: 400, Arm.IDLE: 0}
    slices = []
    for block in range(60):
        slower = rng.lognormvariate(0, 0.2)  # for all arms of the block alike
        for arm in Arm:
            hit = 3 if rng.random() < 0.05 else 1
            cpu = cost[arm] * slower * hit * rng.lognormvariate(0, 0.05)
            slices.append(spent(block, arm, cpu, runs=RUNS if arm in WITH_RUNS else 0))
    found = overhead(slices)
    assert found is not None
    assert found.cpu is not None
    assert found.cpu.events.low_ns < 200 < found.cpu.events.high_ns
    assert found.cpu.events.half_width_ns < 30
    assert found.cpu.control.holds_zero
