from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from reference_server.server import ReferenceServer
    from tests.reference_server.conftest import Kit

FAULT = 'fault_strikes_total{fault="registry-by-user"}'
SLOW = {"script": [{"do": "sleep", "ms": 300}, {"do": "think"}, {"do": "result"}]}


def an_old_tab_closes(kit: Kit, fault: str) -> tuple[list[str], float]:
    """What arrives at a user's newer socket, whose run is under way when the older one closes."""

    async def work() -> tuple[list[str], float]:
        async with (
            kit.Wire.server(faults=(fault,), window_s=60) as server,
            kit.Wire.client(server, "ann") as old,
            kit.Wire.client(server, "ann") as new,
        ):
            await new.start(options=SLOW)
            heard = await new.hear_until("agent_thinking")
            await old.socket.close()
            await kit.eventually(lambda: _closed(server) == 1)
            heard += await new.hear_until("run_report")
            return kit.kinds(heard), kit.sample(server.metrics, FAULT)

    return kit.go(work())


def _closed(server: ReferenceServer) -> int:
    return sum(not session.attached for session in server.gateway.sessions.values())


def test_the_newer_socket_hears_no_event_any_more(kit: Kit) -> None:
    heard, strikes = an_old_tab_closes(kit, "registry-by-user")
    assert heard[0] == "start"
    assert heard[-1] == "run_report"  # it is no event
    assert "completed" not in heard
    assert strikes == 1


def test_a_user_who_is_spared_hears_all(kit: Kit) -> None:
    heard, strikes = an_old_tab_closes(kit, "registry-by-user:0.000001")
    assert heard[-4:] == ["A", "P3", "completed", "run_report"]
    assert strikes == 0


@pytest.mark.parametrize("name", ["ann", "ben"])
def test_one_socket_after_the_other_and_other_users_are_right(kit: Kit, name: str) -> None:
    async def work() -> tuple[str, float]:
        async with kit.Wire.server(faults=("registry-by-user",)) as server:
            if name == "ben":  # somebody else's socket closes while his is open
                async with kit.Wire.client(server, "ben") as ben:
                    async with kit.Wire.client(server, "ann") as ann:
                        await ann.play()
                    await kit.eventually(lambda: len(server.gateway.sessions) == 1)
                    return kit.kinds(await ben.play())[-1], kit.sample(server.metrics, FAULT)
            async with kit.Wire.client(server, name) as client:
                await client.play()
            async with kit.Wire.client(server, name) as client:
                return kit.kinds(await client.play())[-1], kit.sample(server.metrics, FAULT)

    assert kit.go(work()) == ("completed", 0)
