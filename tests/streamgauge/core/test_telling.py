import random

from streamgauge.core.telling import Telling, tell


def pairs(n: int, shift_ns: int, seed: int = 1) -> list[tuple[int, int]]:
    """Times with disturbances that both of a pair share, and a difference of `shift_ns` with some noise."""
    rng = random.Random(seed)
    drawn = []
    for _ in range(n):
        both = int(rng.expovariate(1 / 500_000))
        drawn.append((both + shift_ns + rng.randrange(1_000), both + rng.randrange(1_000)))
    return drawn


def test_what_takes_longer_can_be_told() -> None:
    told = tell(pairs(300, 400))
    assert told.can_be_told
    assert told.low_ns is not None
    assert told.high_ns is not None
    assert told.low_ns <= 400 <= told.high_ns


def test_the_order_gives_the_sign() -> None:
    told = tell([(b, a) for a, b in pairs(300, 400)])
    assert told.difference_ns is not None
    assert told.difference_ns < 0
    assert told.can_be_told


def test_what_is_alike_can_be_told_in_one_of_twenty_at_most() -> None:
    told = sum(tell(pairs(100, 0, seed)).can_be_told for seed in range(400))
    assert told <= 36  # 20 in the mean; more than 36 comes once in 3,000 tries


def test_of_too_few_nothing_is_said() -> None:
    assert tell([]) == Telling(0)
    assert tell(pairs(5, 10**6)) == Telling(5)
    assert not Telling(5).can_be_told
    assert tell(pairs(6, 10**6)).can_be_told
