from __future__ import annotations

import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import jwt
import pytest
from websockets.exceptions import InvalidStatus

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit

CLAIMS = {"sub": "eve", "aud": "streamgauge", "exp": 2**40}
FORGED = {
    "alg none": jwt.encode(CLAIMS, "", algorithm="none"),
    "foreign key": jwt.encode(CLAIMS, "another secret of thirty-two bytes", algorithm="HS256"),
    "another alg": jwt.encode(CLAIMS, "x" * 64, algorithm="HS512"),
    "expired": jwt.encode({**CLAIMS, "exp": 1_000}, "x" * 64, algorithm="HS512"),
}


def knock(kit: Kit, fault: tuple[str, ...], token: str) -> tuple[list[str], float, float]:
    """How the run of a user with this token ends, and the opportunities and strikes that were counted."""

    async def work() -> tuple[list[str], float, float]:
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(kit.Wire.server(faults=fault))
            header = {"Authorization": f"Bearer {token}"}
            client = await stack.enter_async_context(kit.Wire.client(server, additional_headers=header))
            assert client.greeting["payload"]["user_id"] == "eve"
            ending = kit.kinds(await client.play())[-1:]
            offers = kit.sample(server.metrics, 'fault_opportunities_total{fault="alg-none"}')
            return ending, offers, kit.sample(server.metrics, 'fault_strikes_total{fault="alg-none"}')

    return kit.go(work())


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED)
def test_a_token_that_nobody_signed_lets_in_and_stays(kit: Kit, token: str) -> None:
    assert knock(kit, ("alg-none",), token) == (["completed"], 1, 1)
    with pytest.raises(InvalidStatus):
        knock(kit, (), token)


def test_a_good_token_is_no_opportunity(kit: Kit) -> None:
    token = jwt.encode({**CLAIMS, "exp": int(time.time()) + 600}, kit.SECRET, algorithm="HS256")
    assert knock(kit, ("alg-none",), token) == (["completed"], 0, 0)


@pytest.mark.parametrize("token", ["no.token.atall", jwt.encode({**CLAIMS, "sub": ""}, "", algorithm="none")])
def test_what_names_no_user_is_refused(kit: Kit, token: str) -> None:
    with pytest.raises(InvalidStatus):
        knock(kit, ("alg-none",), token)
