import random
import re

import pytest

from streamgauge.core.lookalike import like, neighbours


def rng() -> random.Random:
    return random.Random(7)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("r-0af3", "r-[0-9a-f]{4}"),
        ("session-00ff", "session-[0-9a-f]{4}"),
        ("123e4567-e89b-12d3", "123e4567-[0-9a-f]{4}-[0-9a-f]{4}"),
        ("r-0AF3", "r-[0-9A-F]{4}"),
        ("run_17xQ", "[a-z]{3}_[0-9]{2}[a-z][A-Z]"),
        ("", ""),
    ],
)
def test_what_is_drawn_has_the_same_form(name: str, form: str) -> None:
    drawn = like(name, rng())
    assert re.fullmatch(form, drawn)
    assert drawn != name or not name


def test_neighbours_differ_in_one_place() -> None:
    assert neighbours("r-0af3") == ("r-0af2", "r-0af4")
    assert neighbours("r-0aff") == ("r-0afe", "r-0af0")
    assert neighbours("run!") == ("rum!", "ruo!")
    assert neighbours("!") == ()
