from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reference_server.admission import Knock, Occupancy, Refusal, admit
from reference_server.auth import Identity, issue
from reference_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

SECRET = "a secret of more than thirty-two bytes"
SETTINGS = Settings(secret=SECRET, origins=("https://ours",), max_connections=10, max_connections_per_user=2)
BEARER = f"Bearer {issue('u1', SECRET, 1_100)}"


def verdict(
    authorization: str | None = BEARER,
    origin: str | None = None,
    subprotocols: Sequence[str] = (),
    *,
    draining: bool = False,
    connections: int = 0,
    of_user: int = 0,
) -> Identity | Refusal:
    occupancy = Occupancy(draining, connections, {"u1": of_user, "u2": 2})
    return admit(Knock(authorization, subprotocols, origin), occupancy, SETTINGS, 1_000.0)


def test_who_shows_a_token_is_let_in() -> None:
    assert verdict() == Identity("u1", 1_100.0)
    assert verdict(origin="https://ours", connections=9, of_user=1) == Identity("u1", 1_100.0)


@pytest.mark.parametrize(
    ("found", "status", "retry_after_s"),
    [
        (verdict(None), 401, None),
        (verdict(origin="https://theirs"), 403, None),
        (verdict(of_user=2), 429, None),
        (verdict(connections=10), 503, 5),
        (verdict(draining=True), 503, 5),
        (verdict(None, draining=True), 503, 5),
    ],
)
def test_others_are_refused(found: Identity | Refusal, status: int, retry_after_s: int | None) -> None:
    assert isinstance(found, Refusal)
    assert (found.status, found.retry_after_s) == (status, retry_after_s)


def test_without_a_list_every_origin_is_let_in() -> None:
    knock = Knock(BEARER, (), "https://theirs")
    assert isinstance(admit(knock, Occupancy(False, 0, {}), Settings(secret=SECRET), 1_000.0), Identity)
