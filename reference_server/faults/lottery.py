"""Which runs a fault strikes, and where in them."""

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

FIRST_SEQ = 2
# The default script's run has eleven events. Drawn from 2 … 9, a position is never its first event nor its
# last, and neither is the next one; a run that ends before the position is left alone.
LAST_SEQ = 9


class Lottery:
    """Draws once an opportunity, and counts it; `strike` counts a fault that was really committed."""

    def __init__(
        self, rate: float, rng: random.Random, offer: Callable[[], None], strike: Callable[[], None]
    ) -> None:
        self.strike = strike
        self._offer = offer
        self._rate = rate
        self._rng = rng

    def chosen(self) -> bool:
        """Whether to strike at this opportunity, where its place needs no choice."""
        self._offer()
        return self._rng.random() < self._rate

    def draw(self) -> int | None:
        """The `seq` at which to strike in a run, or None to spare it.

        Both numbers are drawn either way, so that a rate chooses among the same positions as any other.
        """
        chosen, seq = self.chosen(), self._rng.randint(FIRST_SEQ, LAST_SEQ)
        return seq if chosen else None

    def choose(self, options: Sequence[T]) -> T:
        """Draw one of several ways to strike; that alone is no opportunity."""
        return self._rng.choice(options)
