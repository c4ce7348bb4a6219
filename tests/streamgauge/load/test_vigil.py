from typing import TYPE_CHECKING

from tests.support.apart import INSIDE

if TYPE_CHECKING or INSIDE:
    from streamgauge.load.vigil import Vigil


def ends(*looks: tuple[float, int, int]) -> list[bool]:
    """What it says at each look (when, how many connections, how many users) of a ramp until 10."""
    vigil = Vigil(10)
    return [vigil.is_over(*look) for look in looks]


def test_it_is_over_a_moment_after_the_last_connection() -> None:
    assert ends((20, 5, 5), (20.5, 0, 5), (22, 0, 5), (22.1, 0, 5)) == [False, False, False, True]


def test_who_comes_back_at_once_was_not_away() -> None:
    assert ends((20, 5, 5), (21.9, 0, 5), (22, 1, 5), (23, 0, 5), (24, 0, 5)) == [False] * 5


def test_it_is_not_over_before_the_ramp_is() -> None:
    assert ends((1, 5, 5), (9, 0, 5), (12, 0, 5), (12.1, 0, 5)) == [False, False, False, True]


def test_users_who_still_try_to_connect_are_waited_for() -> None:
    assert ends((20, 0, 5), (25, 0, 5), (26, 0, 0), (27.1, 0, 0)) == [False, False, False, True]
