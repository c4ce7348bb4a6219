"""Tokens that a server must not believe, made of what an attacker can have.

All that is forged is written by hand (RFC 7515), because a library that is worth its
name refuses to write it. A forger has no secret; those tokens that are signed with it are
honest ones, out of their time or place.
"""

import base64
import hashlib
import hmac
import math
import random
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from streamgauge.protocol.login import Login, mint_token

Sign = Callable[[bytes], bytes]

_encode: Final = msgspec.json.Encoder(order="deterministic").encode
_HOUR_S: Final = 3_600
_KEY_BITS: Final = 2_048  # of RSA: libraries refuse less
_PRIMES: Final = 8  # it protects nothing, and small ones are found a hundred times as fast
_EXPONENT: Final = 65_537
_SHA256: Final = bytes.fromhex("3031300d060960864801650304020105000420")  # its DigestInfo (RFC 8017, 9.2)
_TRIALS: Final = 20  # of Miller and Rabin
_SMALL: Final = (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97)


def forged(
    user: str, secret: str, now_s: float, login: Login, rng: random.Random
) -> Mapping[str, str | None]:
    """The tokens by the names of their attacks; None: none is sent. `now_s` is Unix time."""
    claims = {**login.claims, "sub": user, "aud": login.audience, "exp": int(now_s + _HOUR_S)}
    past = msgspec.structs.replace(login, lifetime=_HOUR_S)
    elsewhere = msgspec.structs.replace(login, audience=f"not-{login.audience}")
    later = msgspec.structs.replace(
        login, claims={**login.claims, "nbf": int(now_s + _HOUR_S)}, lifetime=2 * _HOUR_S
    )
    return {
        "no token": None,
        "malformed token": "not.a-token",
        "alg none": _signed({"alg": "none"}, claims, lambda _: b""),
        "RS/HS confusion": _signed_by_own_key(claims, rng),
        "key id a path": _signed({"alg": "HS256", "kid": "../../../../dev/null"}, claims, _keyed(b"")),
        "wrong key": _signed({"alg": "HS256"}, claims, _keyed(rng.randbytes(32))),
        "expired token": mint_token(user, secret, now_s - 2 * _HOUR_S, past),
        "token not yet valid": mint_token(user, secret, now_s, later),
        "wrong audience": mint_token(user, secret, now_s, elsewhere),
    }


def _keyed(key: bytes) -> Sign:
    return lambda text: hmac.digest(key, text, hashlib.sha256)


def _signed(header: Mapping[str, object], claims: Mapping[str, object], sign: Sign) -> str:
    text = b".".join(map(_base64, (_encode({"typ": "JWT", **header}), _encode(claims))))
    return (text + b"." + _base64(sign(text))).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _signed_by_own_key(claims: Mapping[str, object], rng: random.Random) -> str:
    """RS256 (RFC 8017, 8.2), and the key to verify it with in the header, as some libraries did."""
    primes = [_prime(_KEY_BITS // _PRIMES, rng) for _ in range(_PRIMES)]
    modulus = math.prod(primes)
    private = pow(_EXPONENT, -1, math.prod(prime - 1 for prime in primes))
    size = (modulus.bit_length() + 7) // 8

    def sign(text: bytes) -> bytes:
        digest = _SHA256 + hashlib.sha256(text).digest()
        padded = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
        return pow(int.from_bytes(padded), private, modulus).to_bytes(size)

    key = {
        "kty": "RSA",
        "n": _base64(modulus.to_bytes(size)).decode(),
        "e": _base64(_EXPONENT.to_bytes(3)).decode(),
    }
    return _signed({"alg": "RS256", "jwk": key}, claims, sign)


def _prime(bits: int, rng: random.Random) -> int:
    """A probable prime (Miller and Rabin), whose highest bits are set, so that products are as long."""
    while True:
        number = rng.getrandbits(bits) | 1 | 0x1F << (bits - 5)
        if all(number % small for small in _SMALL) and (number - 1) % _EXPONENT and _is_prime(number, rng):
            return number


def _is_prime(number: int, rng: random.Random) -> bool:
    odd, twos = number - 1, 0
    while not odd & 1:
        odd, twos = odd >> 1, twos + 1
    for _ in range(_TRIALS):
        power = pow(rng.randrange(2, number - 1), odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True
