"""Ids that look like another one: of nothing, and the neighbours of something."""

import random
import string
from typing import Final

_HEX: Final = frozenset(string.hexdigits)
_ALPHABETS: Final = (string.digits, string.ascii_lowercase, string.ascii_uppercase)


def like(name: str, rng: random.Random) -> str:
    """An id of the same form, drawn anew: letters for letters, digits for digits; its prefix stays.

    What is hexadecimal stays so.
    """
    prefix, dash, rest = name.partition("-")
    if not dash:
        prefix, rest = "", name
    if _HEX.issuperset(rest.replace("-", "")):
        upper = rest.upper() == rest and rest.lower() != rest
        alphabet = "0123456789ABCDEF" if upper else "0123456789abcdef"
        return prefix + dash + "".join(char if char == "-" else rng.choice(alphabet) for char in rest)
    return prefix + dash + "".join(_another(char, rng) for char in rest)


def _another(char: str, rng: random.Random) -> str:
    return next((rng.choice(alphabet) for alphabet in _ALPHABETS if char in alphabet), char)


def neighbours(name: str) -> tuple[str, ...]:
    """The ids just before and after one, as if they were counted: in hexadecimal, or by their last letter."""
    for place in range(len(name) - 1, -1, -1):
        for alphabet in ("0123456789abcdef", "0123456789ABCDEF", *_ALPHABETS):
            at = alphabet.find(name[place])
            if at >= 0:
                beside = (alphabet[(at + step) % len(alphabet)] for step in (-1, 1))
                return tuple(name[:place] + char + name[place + 1 :] for char in beside)
    return ()
