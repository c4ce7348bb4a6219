import random
from collections import Counter

import msgspec
import pytest

from streamgauge.persona import Persona, choose


def test_users_are_chosen_by_weight() -> None:
    personas = (Persona(name="often", weight=3), Persona(name="seldom", weight=1))
    rng = random.Random(1)
    chosen = Counter(choose(personas, rng).name for _ in range(4000))
    assert chosen["often"] == pytest.approx(3000, rel=0.05)


@pytest.mark.parametrize(
    "plain",
    [
        {"wait": 1},
        {"prompts": []},
        {"tabs": 0},
        {"cancel_share": 1.1},
        {"weight": 0},
        {"script": [{"do": "sing"}]},
    ],
)
def test_what_a_persona_cannot_be_is_refused(plain: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(plain, Persona)


def test_only_what_differs_from_the_default_is_written() -> None:
    assert msgspec.to_builtins(Persona(name="writer", tabs=2)) == {"name": "writer", "tabs": 2}


@pytest.mark.parametrize(
    ("plain", "at_once"),
    [
        ({"think": 0}, True),
        ({}, False),  # open loop
        ({"think": 0.1}, False),
        ({"think": 0, "cancel_share": 0.1}, False),
        ({"think": 0, "leave_share": 0.1}, False),
    ],
)
def test_who_never_pauses_asks_at_once(plain: dict[str, object], at_once: bool) -> None:
    assert msgspec.convert(plain, Persona).asks_at_once is at_once


@pytest.mark.parametrize(
    "plain",
    [
        {"cut_bytes": 9, "leave_share": 0.1},
        {"cut_bytes": 9, "reader": "dead"},
        {"reader": "stalled", "cancel_share": 0.1},
        {"reader": "dead", "tabs": 2},
        {"reader": "dead", "think": 1},
    ],
)
def test_whose_socket_is_in_trouble_does_nothing_else(plain: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError, match="does nothing else"):
        msgspec.convert(plain, Persona)
