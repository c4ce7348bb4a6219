import hashlib
import hmac
import random
import time

import jwt
import pytest

from streamgauge.core.attack import BY_NAME, Group
from streamgauge.protocol.forgery import forged
from streamgauge.protocol.login import AUDIENCE, Login, mint_token

SECRET = "s" * 40
NOW_S = time.time()
TOKENS = forged("mallory", SECRET, NOW_S, Login(claims={"role": "user"}), random.Random(1))
SIGNED_WITH_THE_SECRET = ("expired token", "token not yet valid", "wrong audience")


def verified(token: str, **options: bool) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(token, SECRET, ["HS256"], audience=AUDIENCE, options=options)  # type: ignore[arg-type]
    return claims


def test_there_is_one_for_each_attack_but_the_one_that_expires_later() -> None:
    named = {name for name, attack in BY_NAME.items() if attack.group is Group.TOKENS}
    assert set(TOKENS) == named - {"token expires"}
    assert TOKENS["no token"] is None


@pytest.mark.parametrize("name", [name for name, token in TOKENS.items() if token])
def test_who_verifies_believes_none(name: str) -> None:
    assert verified(mint_token("mallory", SECRET, NOW_S))["sub"] == "mallory"
    with pytest.raises(jwt.InvalidTokenError):
        verified(TOKENS[name] or "")


@pytest.mark.parametrize("name", [name for name in TOKENS if name not in {"no token", "malformed token"}])
def test_who_does_not_verify_finds_the_user_and_his_claims(name: str) -> None:
    claims = jwt.decode(TOKENS[name] or "", options={"verify_signature": False})
    assert (claims["sub"], claims["role"]) == ("mallory", "user")


@pytest.mark.parametrize("name", SIGNED_WITH_THE_SECRET)
def test_these_are_wrong_in_one_thing_alone(name: str) -> None:
    unverified = {
        "expired token": "verify_exp",
        "token not yet valid": "verify_nbf",
        "wrong audience": "verify_aud",
    }
    assert verified(TOKENS[name] or "", **{unverified[name]: False})["sub"] == "mallory"


def test_whoever_believes_the_key_in_the_header_believes_the_confusion() -> None:
    token = TOKENS["RS/HS confusion"] or ""
    key = jwt.PyJWK(jwt.get_unverified_header(token)["jwk"], algorithm="RS256")
    assert jwt.decode(token, key, ["RS256"], audience=AUDIENCE)["sub"] == "mallory"


@pytest.mark.parametrize("seed", range(10))
def test_keys_are_as_long_as_libraries_want_them(seed: int) -> None:
    token = forged("m", SECRET, NOW_S, Login(), random.Random(seed))["RS/HS confusion"] or ""
    key = jwt.PyJWK(jwt.get_unverified_header(token)["jwk"], algorithm="RS256")
    assert key.key.key_size == 2_048


def test_a_server_that_reads_its_key_from_an_empty_file_believes_the_path() -> None:
    header, claims, _ = (TOKENS["key id a path"] or "").split(".")
    assert jwt.get_unverified_header(TOKENS["key id a path"] or "")["kid"].endswith("/dev/null")
    signature = jwt.utils.base64url_encode(hmac.digest(b"", f"{header}.{claims}".encode(), hashlib.sha256))
    assert (TOKENS["key id a path"] or "").endswith(signature.decode())
