"""Who is knocking: the user of a signed token."""

import base64
import binascii
from collections.abc import Sequence
from functools import lru_cache

import jwt
from msgspec import Struct

AUDIENCE = "streamgauge"
ALGORITHM = "HS256"
SUBPROTOCOL = "jwt-auth"
TOKEN_PREFIX = "jwt."  # noqa: S105 - the prefix of a subprotocol, no token
MAX_USER_ID = 256


class Identity(Struct, frozen=True):
    """The user, and until when the token says so (Unix time in seconds)."""

    user_id: str
    expires_s: float


class UnauthenticatedError(Exception):
    """No token, or none that can be believed; the text says why and is safe to log."""


def find_token(authorization: str | None, subprotocols: Sequence[str]) -> str:
    """Take the token from the `Authorization` header, or from the subprotocols as browsers give it.

    Raises `UnauthenticatedError`.
    """
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        if scheme.casefold() != "bearer" or not token.strip():
            raise UnauthenticatedError("the Authorization header holds no bearer token")
        return token.strip()
    for offered in subprotocols:
        if SUBPROTOCOL in subprotocols and offered.startswith(TOKEN_PREFIX):
            return _unpadded(offered.removeprefix(TOKEN_PREFIX))
    raise UnauthenticatedError(
        "no token: send `Authorization: Bearer <jwt>`, or the subprotocols jwt-auth, jwt.…"
    )


def identify(token: str, secret: str, now_s: float) -> Identity:
    """Verify a token at the time `now_s` (Unix time). Raises `UnauthenticatedError`."""
    try:
        claims = jwt.decode(
            token,
            _key(secret),
            algorithms=[ALGORITHM],  # pinned: a token never chooses how it is verified
            audience=AUDIENCE,
            options={
                "require": ["exp", "aud", "sub"],
                # PyJWT would read the clock itself; time is an argument here.
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        expires_s, starts_s = float(claims["exp"]), float(claims.get("nbf", 0))
    except (jwt.InvalidTokenError, TypeError, ValueError, RecursionError) as error:
        raise UnauthenticatedError(f"the token is refused: {type(error).__name__}") from None
    if not starts_s <= now_s < expires_s:  # written so that NaN is refused
        raise UnauthenticatedError("the token is expired or not yet valid")
    user_id = claims["sub"]
    if not isinstance(user_id, str) or not 0 < len(user_id) <= MAX_USER_ID:
        raise UnauthenticatedError("the token's `sub` names no user")
    return Identity(user_id, expires_s)


def issue(user_id: str, secret: str, expires_s: float) -> str:
    """Sign a token, for hints and tests. `expires_s` is Unix time."""
    claims = {"sub": user_id, "aud": AUDIENCE, "exp": int(expires_s)}
    return jwt.encode(claims, _key(secret), algorithm=ALGORITHM)


@lru_cache(maxsize=1)  # PyJWT would look at the secret anew for every user: is it a certificate?
def _key(secret: str) -> jwt.PyJWK:
    key = base64.urlsafe_b64encode(secret.encode()).decode()
    return jwt.PyJWK({"kty": "oct", "k": key, "alg": ALGORITHM})


def _unpadded(encoded: str) -> str:
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode(
            "ascii"
        )
    except (binascii.Error, ValueError):
        raise UnauthenticatedError("the subprotocol jwt.… holds no base64url") from None
