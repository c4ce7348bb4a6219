import jwt
import pytest

from streamgauge.protocol.login import AUDIENCE, Login, headers, mint_token, subprotocols

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


def test_a_login_says_for_whom_how_long_and_what_else() -> None:
    login = Login(audience="acme", lifetime=60.5, claims={"tenant": "t-1", "admin": True, "sub2": 5})
    token = mint_token("ann", SECRET, 1_800_000_000.9, login)
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], audience="acme", options={"verify_exp": False})
    assert claims == {
        "sub": "ann",
        "aud": "acme",
        "exp": 1_800_000_061,
        "tenant": "t-1",
        "admin": True,
        "sub2": 5,
    }


def test_a_token_goes_where_the_login_says() -> None:
    assert headers(Login(), "a.b.c") == {"Authorization": "Bearer a.b.c"}
    assert subprotocols(Login(), "a.b.c") == ()
    browser = Login(kind="subprotocol")
    assert headers(browser, "a.b.c") == {}
    assert subprotocols(browser, "a.b.c") == ("jwt-auth", "jwt.YS5iLmM")


def test_where_nobody_logs_in_there_is_no_token_and_no_secret() -> None:
    nobody = Login(kind="none")
    assert mint_token("ann", "", 1_800_000_000, nobody) == ""
    assert (headers(nobody, ""), subprotocols(nobody, "")) == ({}, ())


@pytest.mark.parametrize("claim", ["sub", "aud", "exp"])
def test_what_every_token_says_is_no_claim_of_a_plan(claim: str) -> None:
    with pytest.raises(ValueError, match=f"claims: '{claim}' is not to be given"):
        Login(claims={claim: "x"})
