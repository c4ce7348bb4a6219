"""The fault `alg-none`: tokens are read and not verified."""

import math
from typing import Any

import jwt
from msgspec.structs import replace

from reference_server.auth import Identity, UnauthenticatedError
from reference_server.faults.lottery import Lottery
from reference_server.parts import Parts


def alg_none(parts: Parts, lottery: Lottery) -> Parts:
    """Let in whoever names a user, by a token that is unsigned, expired, or signed with any key for anybody.

    An opportunity is a token that the right check refuses and that can be read at all; the identity then
    never expires, or the connection would be closed for what its token says.
    """

    def faulty(token: str, secret: str, now_s: float) -> Identity:
        try:
            return parts.identify(token, secret, now_s)
        except UnauthenticatedError:
            user_id = _claimed(token)
            if user_id is None or not lottery.chosen():
                raise
            lottery.strike()
            return Identity(user_id, math.inf)

    return replace(parts, identify=faulty)


def _claimed(token: str) -> str | None:
    try:
        # The defect itself: without verification PyJWT looks at no signature, time or audience.
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return None
    user_id = claims.get("sub")
    return user_id if isinstance(user_id, str) and user_id else None
