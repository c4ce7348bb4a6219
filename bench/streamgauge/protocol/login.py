"""How the users of a run say who they are (docs/wire.md, section 1): the part `login` of a plan."""

import base64
import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Final, Literal

import jwt
from jwt.warnings import InsecureKeyLengthWarning
from msgspec import Meta, Struct

from streamgauge.bounds import Positive

AUDIENCE: Final = "streamgauge"
_ALGORITHM: Final = "HS256"
_LIFE_S: Final = 24 * 3600  # longer than any run
_OURS: Final = {"sub": "it is the user", "aud": "give audience", "exp": "give lifetime"}

Plain = str | int | float | bool


class Login(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How users log in; the secret is never a part of it, for it stands in no plan."""

    kind: Literal["bearer", "subprotocol", "none"] = "bearer"  # where the token goes
    audience: Annotated[str, Meta(min_length=1)] = AUDIENCE
    lifetime: Positive = _LIFE_S  # of a token, in seconds from when its connection is opened
    claims: dict[str, Plain] = {}  # more of them

    def __post_init__(self) -> None:
        for claim in self.claims:
            if claim in _OURS:
                raise ValueError(f"claims: {claim!r} is not to be given: {_OURS[claim]}")

    @property
    def signs(self) -> bool:
        """Whether there is a token, and so a secret that it is signed with."""
        return self.kind != "none"


def mint_token(user: str, secret: str, now_s: float, login: Login = Login()) -> str:  # noqa: B008 - frozen
    """A JWT (HS256) by which the server knows `user`, "" where nobody logs in; `now_s` is Unix time."""
    if not login.signs:
        return ""
    claims = {**login.claims, "sub": user, "aud": login.audience, "exp": int(now_s + login.lifetime)}
    with warnings.catch_warnings():
        # how long the target's secret is, is the target's affair
        warnings.simplefilter("ignore", InsecureKeyLengthWarning)
        return jwt.encode(claims, _key(secret), algorithm=_ALGORITHM)


@lru_cache(maxsize=1)  # to make ready what is always the same took half the time of a token
def _key(secret: str) -> jwt.PyJWK:
    key = base64.urlsafe_b64encode(secret.encode()).decode()
    return jwt.PyJWK({"kty": "oct", "k": key, "alg": _ALGORITHM})


def headers(login: Login, token: str) -> Mapping[str, str]:
    """The headers of the handshake that say who the user is."""
    return {"Authorization": f"Bearer {token}"} if login.kind == "bearer" else {}


def subprotocols(login: Login, token: str) -> Sequence[str]:
    """What is offered in the handshake to say who the user is, as browsers must, who can set no header."""
    if login.kind != "subprotocol":
        return ()
    return ("jwt-auth", f"jwt.{base64.urlsafe_b64encode(token.encode()).decode().rstrip('=')}")
