"""Tokens for the users of a run (docs/wire.md, section 1)."""

import warnings
from typing import Final

import jwt
from jwt.warnings import InsecureKeyLengthWarning

AUDIENCE: Final = "streamgauge"
_LIFE_S: Final = 24 * 3600  # longer than any run


def mint_token(user: str, secret: str, now_s: float) -> str:
    """A JWT (HS256) by which the server knows `user`; `now_s` is Unix time."""
    claims = {"sub": user, "aud": AUDIENCE, "exp": int(now_s) + _LIFE_S}
    with warnings.catch_warnings():
        # how long the target's secret is, is the target's affair
        warnings.simplefilter("ignore", InsecureKeyLengthWarning)
        return jwt.encode(claims, secret, algorithm="HS256")
