from typing import TYPE_CHECKING

from tests.support.apart import INSIDE

if TYPE_CHECKING or INSIDE:
    from streamgauge.load.crew import Crew


def brought_home(*workers: str, crew: "Crew") -> None:
    for worker in workers:
        crew.brought(worker, 30, asked=True)


def test_a_run_whose_shares_all_came_misses_nobody() -> None:
    crew = Crew(["a", "b"])
    assert crew.awaited() == {"a", "b"}
    brought_home("a", "b", crew=crew)
    assert crew.awaited() == set()
    assert (crew.missing(), crew.changes()) == ((), ())


def test_who_is_missing_is_named_with_the_users_it_had_last() -> None:
    crew = Crew(["a", "b", "c", "d"])
    for worker, users in (("a", 5), ("b", 7), ("b", 20), ("b", 0), ("c", 1)):
        crew.had(worker, users)
    brought_home("a", crew=crew)
    assert crew.missing() == ("b (20 users)", "c (1 user)", "d (no user yet)")


def test_who_comes_late_is_awaited_and_named() -> None:
    crew = Crew(["a"])
    crew.began("a", 0.1)
    crew.began("b", 3.21)
    assert crew.awaited() == {"a", "b"}
    brought_home("a", "b", crew=crew)
    assert crew.changes() == ("b joined 3.2 s after the beginning",)


def test_who_leaves_in_mid_run_with_its_share_is_named_and_not_missing() -> None:
    crew = Crew(["a", "b"])
    crew.brought("b", 4.5, asked=False)
    brought_home("a", crew=crew)
    assert (crew.missing(), crew.changes()) == ((), ("b left 4.5 s after the beginning",))


def test_who_came_late_and_died_is_missing_all_the_same() -> None:
    crew = Crew(["a"])
    crew.began("b", 3)
    brought_home("a", crew=crew)
    assert crew.missing() == ("b (no user yet)",)


def test_a_stranger_has_no_users_here() -> None:
    crew = Crew(["a"])
    crew.had("b", 3)
    assert crew.awaited() == {"a"}
