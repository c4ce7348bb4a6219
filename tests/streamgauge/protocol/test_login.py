import jwt
import pytest

from streamgauge.protocol.login import AUDIENCE, mint_token

SECRET = "a-secret-of-the-tests-and-of-nothing-else"


def test_a_token_says_who_and_for_whom_and_until_when() -> None:
    token = mint_token("u0-7", SECRET, 1_800_000_000.9)
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    claims = jwt.decode(
        token, SECRET, algorithms=["HS256"], audience="streamgauge", options={"verify_exp": False}
    )
    assert claims == {"sub": "u0-7", "aud": AUDIENCE, "exp": 1_800_000_000 + 24 * 3600}


def test_another_secret_does_not_verify_it() -> None:
    token = mint_token("ann", SECRET, 1_800_000_000)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, SECRET[::-1], algorithms=["HS256"], audience=AUDIENCE)


def test_a_token_does_not_hold_its_secret() -> None:
    assert SECRET not in mint_token("ann", SECRET, 1_800_000_000)


def test_a_short_secret_is_the_targets_own_affair() -> None:
    assert mint_token("ann", "short", 1_800_000_000).count(".") == 2  # a warning would be an error here


def test_an_empty_secret_is_none() -> None:
    with pytest.raises(jwt.InvalidKeyError):
        mint_token("ann", "", 1_800_000_000)
