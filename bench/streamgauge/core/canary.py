"""Canaries: unguessable tokens that travel with a user's words and give a leak away.

A token is a fixed prefix and 20 letters or digits (119 bits). It is looked for in
the raw bytes of every message, before and apart from decoding, so that a leak in
any field, known or not, is seen. Letters and digits survive JSON unescaped.
"""

import random
import string
from typing import Final

PREFIX: Final = b"sgcanary"
_ALPHABET: Final = string.ascii_letters + string.digits
_BODY: Final = 20
SIZE: Final = len(PREFIX) + _BODY
"""Bytes of a token: what is shorter holds none."""

_ALNUM: Final = frozenset(_ALPHABET.encode())


def mint(rng: random.Random) -> str:
    """A new token, drawn from `rng` (a `random.SystemRandom` outside tests)."""
    return PREFIX.decode() + "".join(rng.choices(_ALPHABET, k=_BODY))


def foreign(data: bytes, own: bytes) -> str:
    """The tokens in `data` that are not `own`, joined by spaces; "" where there is none.

    A cut token (a text that was shortened) counts as own where own begins with it;
    the next token may follow it at once.
    """
    if data.count(PREFIX) == data.count(own):
        return ""  # two searches in C: the only cost of a clean message
    found: dict[str, None] = {}
    at = data.find(PREFIX)
    while at >= 0:
        end = at + len(PREFIX)
        after = data.find(PREFIX, end)
        stop = min(end + _BODY, len(data) if after < 0 else after)
        while end < stop and data[end] in _ALNUM:
            end += 1
        token = data[at:end]
        if not own.startswith(token):
            found[token.decode()] = None
        at = after
    return " ".join(found)
