import random

from reference_server.faults.lottery import FIRST_SEQ, LAST_SEQ, Lottery


def draws(rate: float, seed: int = 1, runs: int = 5_000) -> list[int | None]:
    lottery = Lottery(rate, random.Random(seed), lambda: None, lambda: None)
    return [lottery.draw() for _ in range(runs)]


def test_the_rate_is_the_share_of_runs() -> None:
    assert 400 < sum(seq is not None for seq in draws(0.1)) < 600
    assert None not in draws(1.0)


def test_every_position_between_the_ends_is_drawn_equally() -> None:
    found = draws(1.0)
    assert set(found) == set(range(FIRST_SEQ, LAST_SEQ + 1))
    assert all(500 < found.count(seq) < 750 for seq in range(FIRST_SEQ, LAST_SEQ + 1))


def test_the_same_seed_draws_the_same() -> None:
    assert draws(0.3) == draws(0.3)
    assert draws(0.3) != draws(0.3, seed=2)


def test_every_draw_is_an_opportunity_struck_or_not() -> None:
    offers: list[None] = []
    lottery = Lottery(0.5, random.Random(1), lambda: offers.append(None), lambda: None)
    for _ in range(10):
        lottery.draw()
        lottery.chosen()
    assert len(offers) == 20
