import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.core.canary import PREFIX, foreign, mint

OWN = b"sgcanaryOwnOwnOwnOwnOwnOwn00"
BEN = b"sgcanaryBenBenBenBenBenBen11"
CAT = b"sgcanaryCatCatCatCatCatCat22"


def test_a_token_is_the_prefix_and_twenty_letters_or_digits() -> None:
    token = mint(random.Random(1))
    assert re.fullmatch(r"sgcanary[A-Za-z0-9]{20}", token)
    assert token != mint(random.Random(2))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nothing of the kind",
        OWN,
        b"%s and again %s" % (OWN, OWN),
        OWN + OWN,
        OWN + b"more",  # a letter may follow
        OWN[:15] + b'"',  # a shortened text
        PREFIX,
        b"%s, %s" % (OWN[:10], OWN),
        OWN[:10] + OWN,  # two shortened texts, joined
        b'"\xff\xfe' + OWN,
    ],
)
def test_ones_own_token_is_no_leak(data: bytes) -> None:
    assert foreign(data, OWN) == ""


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (BEN, BEN),
        (b'{"text":"%s"}' % BEN, BEN),
        (b"\xff\x00%s\xfe" % BEN, BEN),  # no message at all
        (OWN + BEN, BEN),
        (BEN + OWN, BEN),
        (OWN[:12] + BEN, BEN),
        (b"%s %s" % (OWN[:12], BEN), BEN),  # as many prefixes as own tokens, but for the cut
        (BEN + b"more", BEN),
        (BEN[:14] + b'"', BEN[:14]),
        (BEN[:9], BEN[:9]),
        (b"%s %s %s" % (BEN, OWN, CAT), BEN + b" " + CAT),
        (CAT + BEN + CAT, CAT + b" " + BEN),
        (b"%s %s" % (BEN, BEN), BEN),
        (OWN[:-1] + b"1", OWN[:-1] + b"1"),
    ],
)
def test_anothers_token_is_found_wherever_it_stands(data: bytes, found: bytes) -> None:
    assert foreign(data, OWN) == found.decode()


@given(st.binary(max_size=40), st.binary(max_size=40), st.integers(), st.integers(), st.booleans())
def test_any_token_in_any_bytes_is_found(
    before: bytes, after: bytes, one: int, two: int, own_too: bool
) -> None:
    own, other = mint(random.Random(one)), mint(random.Random(two))
    data = before + other.encode() + after + own.encode() * own_too
    assert foreign(data, own.encode()) == ("" if own == other else other)
