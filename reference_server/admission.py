"""Who is let in: decided before the upgrade, from facts alone."""

from collections.abc import Sequence

from msgspec import Struct

from reference_server.auth import Identity, UnauthenticatedError, find_token, identify
from reference_server.parts import Identify
from reference_server.settings import Settings

RETRY_AFTER_S = 5


class Knock(Struct, frozen=True):
    """What a handshake says of itself."""

    authorization: str | None
    subprotocols: Sequence[str]
    origin: str | None


class Occupancy(Struct, frozen=True):
    """How full the server is; `per_user` counts each user's connections."""

    draining: bool
    connections: int
    per_user: dict[str, int]


class Refusal(Struct, frozen=True):
    """An HTTP answer instead of the upgrade."""

    status: int
    reason: str
    retry_after_s: int | None = None


def admit(
    knock: Knock, occupancy: Occupancy, settings: Settings, now_s: float, identify: Identify = identify
) -> Identity | Refusal:
    """Judge a handshake at the time `now_s` (Unix time): the cheapest refusal comes first."""
    if occupancy.draining:
        return Refusal(503, "The server is draining.", RETRY_AFTER_S)
    if occupancy.connections >= settings.max_connections:
        return Refusal(503, f"The server is full: {settings.max_connections} connections.", RETRY_AFTER_S)
    if settings.origins and knock.origin is not None and knock.origin not in settings.origins:
        return Refusal(403, "This origin is not on the allow-list.")
    try:
        token = find_token(knock.authorization, knock.subprotocols)
        identity = identify(token, settings.secret, now_s)
    except UnauthenticatedError as error:
        return Refusal(401, f"Not authenticated: {error}.")
    if occupancy.per_user.get(identity.user_id, 0) >= settings.max_connections_per_user:
        return Refusal(
            429, f"Too many connections of this user: {settings.max_connections_per_user} are allowed."
        )
    return identity
