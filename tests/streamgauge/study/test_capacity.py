"""Searches as literal histories: `+` kept, `t` target, `r` refusals, `g` generator, `?` unmeasured."""

import random
from collections.abc import Callable, Iterator

import pytest

from streamgauge.study.capacity import Capacity, End, Move, Result, Search, Step, conclude, next_move

MANY = 1_000
OF = {
    "+": Result.KEPT,
    "t": Result.TARGET,
    "r": Result.REFUSALS,
    "g": Result.GENERATOR,
    "?": Result.UNMEASURED,
}
SEARCH = Search(first=100, most=10_000, retests=2)


def tried(*steps: tuple[int, str]) -> list[Step]:
    """So many users, and what came of each try with them."""
    return [Step(users, OF[mark], f"{mark} at {users}") for users, marks in steps for mark in marks]


def then(*steps: tuple[int, str], search: Search = SEARCH, affordable: int = MANY) -> tuple[int, str] | None:
    move = next_move(search, tried(*steps), affordable)
    return None if move is None else (move.users, move.purpose)


def known(*steps: tuple[int, str], search: Search = SEARCH) -> Capacity:
    return conclude(search, tried(*steps))


def searched(target: Callable[[int], Result], search: Search = SEARCH, steps: int = MANY) -> list[Step]:
    """Search a simulated target to the end."""
    history: list[Step] = []
    while (move := next_move(search, history, steps - len(history))) is not None:
        history.append(Step(move.users, target(move.users)))
    return history


def holding(most: int) -> Callable[[int], Result]:
    return lambda users: Result.KEPT if users <= most else Result.TARGET


# Which number is next


def test_it_climbs_by_the_factor_until_a_step_is_not_kept() -> None:
    assert then() == (100, "climb")
    assert then((100, "+")) == (200, "climb")
    assert then((100, "+"), (200, "+"), (400, "+")) == (800, "climb")


def test_it_halves_the_gap_on_a_logarithmic_scale_until_it_is_narrow() -> None:
    assert then((100, "+"), (200, "t")) == (141, "bisect")
    assert then((100, "+"), (200, "t"), (141, "+")) == (168, "bisect")
    assert then((100, "+"), (200, "t"), (141, "+"), (150, "t")) == (150, "re-test")


def test_both_ends_are_tested_again_the_less_sure_one_first() -> None:
    assert then((100, "+"), (109, "tt")) == (100, "re-test")
    assert then((100, "+++"), (109, "tt")) == (109, "re-test")
    assert then((100, "+++"), (109, "ttt")) is None


def test_it_never_goes_beyond_the_most() -> None:
    search = Search(100, 150, retests=1)
    assert then((100, "+"), search=search) == (150, "climb")
    assert then((100, "+"), (150, "+"), search=search) == (150, "re-test")
    assert then((100, "+"), (150, "++"), search=search) is None


def test_the_first_step_is_tested_again_where_it_fails() -> None:
    assert then((100, "r")) == (100, "re-test")
    assert then((100, "rrr")) is None


def test_neighbouring_numbers_are_narrow_enough() -> None:
    search = Search(1, 8, retests=0)
    assert then((1, "+"), (2, "t"), search=search) is None


def test_time_that_only_suffices_for_the_tests_again_is_spent_on_them() -> None:
    wide = (100, "+"), (200, "t")
    assert then(*wide, affordable=5) == (141, "bisect")
    assert then(*wide, affordable=4) == (200, "re-test")
    assert then(*wide, affordable=0) is None


# A border that flaps


def test_a_contradicted_upper_end_is_sought_above() -> None:
    flapping = (100, "+"), (109, "t+")
    assert then(*flapping) == (218, "climb")
    assert then(*flapping, (218, "t")) == (154, "bisect")
    assert known(*flapping, (118, "ttt")).failed == End(118, 3, confirmed=True)


def test_a_contradicted_lower_end_is_sought_below() -> None:
    flapping = (100, "+"), (141, "+t"), (150, "t")
    assert then(*flapping) == (119, "bisect")
    found = known((100, "+"), (130, "+++"), (141, "+t"), (150, "ttt"))
    assert (found.kept, found.failed) == (End(130, 3, confirmed=True), End(150, 3, confirmed=True))
    assert found.open == (141,)
    assert found.found


def test_what_is_kept_above_what_failed_widens_the_interval() -> None:
    found = known((100, "+"), (141, "t"), (168, "+"), (200, "t"))
    assert found.kept == End(100, 1, confirmed=False)
    assert found.failed == End(200, 1, confirmed=False)


# What limits


@pytest.mark.parametrize(("mark", "limit"), [("t", Result.TARGET), ("r", Result.REFUSALS)])
def test_the_upper_end_says_what_limits(mark: str, limit: Result) -> None:
    found = known((100, "+++"), (109, mark * 3))
    assert (found.limit, found.why, found.found) == (limit, f"{mark} at 109", True)


def test_a_generator_that_gives_out_is_never_the_targets_limit() -> None:
    found = known((100, "+"), (200, "+++"), (210, "ggg"))
    assert (found.kept, found.failed, found.gave_out) == (End(200, 3, confirmed=True), None, 210)
    assert (found.limit, found.why, found.found) == (Result.GENERATOR, "g at 210", False)


def test_where_the_generator_gives_out_the_search_narrows_but_does_not_climb() -> None:
    assert then((100, "+"), (200, "gg")) == (141, "bisect")
    assert then((100, "+"), (109, "gg")) == (100, "re-test")
    assert then((100, "+++"), (109, "ggg")) is None


def test_a_generator_that_was_ill_once_is_tried_again_at_once_and_forgotten() -> None:
    assert then((100, "+"), (200, "g")) == (200, "re-test")
    assert then((100, "+"), (200, "g+")) == (400, "climb")
    assert then((100, "+"), (200, "g"), search=Search(100, 1_000, retests=0)) == (141, "bisect")
    assert then((100, "+"), (109, "g+")) == (218, "climb")
    found = known((100, "+++"), (109, "gttt"))
    assert (found.limit, found.found) == (Result.TARGET, True)


def test_one_failure_among_illnesses_is_not_believed_to_be_the_targets() -> None:
    found = known((100, "+++"), (109, "gtg"))
    assert (found.limit, found.why, found.found) == (Result.GENERATOR, "g at 109", False)


def test_it_does_not_wait_for_a_generator_to_recover_for_ever() -> None:
    assert then((100, "+++"), (109, "tggg")) == (109, "re-test")
    assert then((100, "+++"), (109, "tggggg")) is None


# Only bounds


def test_the_first_step_fails_so_that_only_an_upper_bound_is_known() -> None:
    found = known((100, "rrr"))
    assert (found.kept, found.failed) == (None, End(100, 3, confirmed=True))
    assert not found.found


def test_the_last_step_passes_so_that_only_a_lower_bound_is_known() -> None:
    found = known((100, "+"), (10_000, "+++"))
    assert (found.kept, found.failed, found.limit) == (End(10_000, 3, confirmed=True), None, None)
    assert not found.found


def test_an_interval_that_was_not_tested_again_is_not_found() -> None:
    assert not known((100, "+++"), (109, "tt")).found
    assert not known((100, "++"), (109, "ttt")).found


def test_nothing_is_known_of_what_was_never_measured() -> None:
    assert known() == known((100, "??")) == Capacity(None, None)


# What was not measured


def test_too_few_samples_at_first_lead_on() -> None:
    assert then((100, "?")) == (200, "climb")
    assert known((100, "?"), (200, "+++"), (210, "ttt")).kept == End(200, 3, confirmed=True)


def test_what_was_not_measured_in_the_middle_is_open() -> None:
    assert known((100, "+"), (141, "?"), (200, "t")).open == (141,)
    assert then((100, "+"), (141, "?"), (200, "t")) == (119, "bisect")


# Whole searches


@pytest.mark.parametrize("most", [100, 137, 999, 4_321])
def test_a_sharp_border_is_enclosed_within_a_tenth(most: int) -> None:
    history = searched(holding(most))
    found = conclude(SEARCH, history)
    assert found.found
    assert found.kept is not None
    assert found.failed is not None
    assert found.kept.users <= most < found.failed.users <= found.kept.users * 1.1 + 1
    assert len(history) < 20


@pytest.mark.parametrize("seed", range(20))
def test_a_noisy_border_lies_within_what_is_found(seed: int) -> None:
    rng = random.Random(seed)

    def noisy(users: int) -> Result:
        """Certain below 700 and above 900, the likelier to fail the more users between."""
        return Result.KEPT if users < 700 + 200 * rng.random() else Result.TARGET

    found = conclude(SEARCH, searched(noisy))
    assert found.found
    assert found.kept is not None
    assert found.failed is not None
    assert found.kept.users < 900
    assert found.failed.users > 700


@pytest.mark.parametrize("seed", range(5))
def test_whatever_comes_the_search_ends(seed: int) -> None:
    rng = random.Random(seed)
    history = searched(lambda _: rng.choice(list(Result)), Search(1, 1_000))
    assert len(history) < 200


def test_a_budget_is_kept() -> None:
    for budget in range(1, 15):
        history = searched(holding(999), steps=budget)
        assert len(history) <= budget
    assert conclude(SEARCH, searched(holding(999), steps=10)).found  # wide, but believed


def moves(search: Search, target: Callable[[int], Result]) -> Iterator[Move]:
    history: list[Step] = []
    while (move := next_move(search, history, MANY)) is not None:
        yield move
        history.append(Step(move.users, target(move.users)))


def test_no_number_is_bisected_twice() -> None:
    halved = [move.users for move in moves(SEARCH, holding(777)) if move.purpose == "bisect"]
    assert len(halved) == len(set(halved)) > 2
