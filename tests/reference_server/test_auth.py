from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from reference_server.auth import Identity, UnauthenticatedError, find_token, identify, issue

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit

SECRET = "a secret of more than thirty-two bytes"
NOW_S = 1_000.0
GOOD: dict[str, Any] = {"sub": "u1", "aud": "streamgauge", "exp": 1_100}


def signed(claims: dict[str, Any], key: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, key, algorithm=algorithm)


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name not in names}


def test_a_good_token_names_its_user() -> None:
    assert identify(signed(GOOD), SECRET, NOW_S) == Identity("u1", 1_100.0)
    assert identify(issue("u2", SECRET, 1_100), SECRET, NOW_S) == Identity("u2", 1_100.0)


OTHER = {
    "empty": "",
    "malformed": "no.token.atall",
    "foreign key": signed(GOOD, key="another secret of thirty-two bytes"),
    "alg none": signed(GOOD, key="", algorithm="none"),
    "another alg": signed(GOOD, key=SECRET * 2, algorithm="HS512"),
    "expired": signed({**GOOD, "exp": 1_000}),
    "not yet valid": signed({**GOOD, "nbf": 1_001}),
    "wrong audience": signed({**GOOD, "aud": "elsewhere"}),
    "exp is NaN": signed({**GOOD, "exp": float("nan")}),
    "exp is no number": signed({**GOOD, "exp": {}}),
    "no exp": signed(without("exp")),
    "no aud": signed(without("aud")),
    "no sub": signed(without("sub")),
    "empty sub": signed({**GOOD, "sub": ""}),
    "long sub": signed({**GOOD, "sub": "u" * 257}),
    "cut": signed(GOOD)[:-2],
    "deep header": base64.urlsafe_b64encode(b"[" * 4_000).decode() + ".e30.c2ln",
}


@pytest.mark.parametrize("token", OTHER.values(), ids=OTHER)
def test_any_other_token_is_refused(token: str) -> None:
    with pytest.raises(UnauthenticatedError):
        identify(token, SECRET, NOW_S)


def test_the_header_or_the_subprotocols_bring_the_token() -> None:
    offered = ["jwt-auth", "jwt." + base64.urlsafe_b64encode(b"a.b.c").decode().rstrip("=")]
    assert find_token("Bearer a.b.c", []) == "a.b.c"
    assert find_token("bearer  a.b.c ", []) == "a.b.c"
    assert find_token(None, offered) == "a.b.c"
    assert find_token("Bearer d.e.f", offered) == "d.e.f"


@pytest.mark.parametrize(
    ("authorization", "subprotocols"),
    [
        (None, []),
        ("Basic abc", []),
        ("Bearer ", []),
        (None, ["jwt.YS5iLmM"]),
        (None, ["jwt-auth"]),
        (None, ["jwt-auth", "jwt.*"]),
        (None, ["jwt-auth", "jwt._w"]),
    ],
)
def test_without_a_token_nobody_is_known(authorization: str | None, subprotocols: list[str]) -> None:
    with pytest.raises(UnauthenticatedError):
        find_token(authorization, subprotocols)


def test_why_a_token_is_refused_never_repeats_it(kit: Kit) -> None:
    token = kit.a_token(secret="another secret of thirty-two bytes")
    with pytest.raises(UnauthenticatedError) as refused:
        identify(token, SECRET, NOW_S)
    assert not any(part in str(refused.value) for part in token.split("."))
