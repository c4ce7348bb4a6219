from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import Raw
from structlog.testing import capture_logs

from reference_server.clock import Clock
from reference_server.command import CancelRun, Options, Refused, StartAgent
from reference_server.gateway import Gateway, new_id
from reference_server.message import Pong, RunAccepted
from reference_server.metrics import Metrics
from reference_server.scripted import ScriptedAgent
from reference_server.settings import Settings

if TYPE_CHECKING:
    from reference_server.session import Session
    from tests.reference_server.conftest import Kit

START = StartAgent(user_request="hello", request_id="q1")
SCRIPT = Raw(b'[{"do":"sleep","ms":60000},{"do":"result"}]')
ENDLESS = StartAgent(user_request="hello", request_id="q1", options=Options(script=SCRIPT))


def a_gateway(
    kit: Kit, window_s: float = 0.0, drain_s: float = 5.0, metrics: Metrics | None = None
) -> Gateway:
    stage = kit.Stage({"scripted": ScriptedAgent()})
    settings = Settings(secret="x", measure=True, window_s=window_s, drain_s=drain_s)
    return Gateway(settings, stage.core, stage.bridge, metrics or stage.metrics, Clock())


def start(gateway: Gateway, session: Session) -> RunAccepted:
    accepted = gateway.answer(session, "c1", START)
    assert isinstance(accepted, RunAccepted)
    return accepted


def test_ids_cannot_be_guessed() -> None:
    assert len({new_id("r") for _ in range(1_000)}) == 1_000
    assert len(new_id("r")) == 2 + 32


def test_a_run_lives_in_its_session_until_its_end(kit: Kit) -> None:
    async def work() -> None:
        gateway = a_gateway(kit)
        session = gateway.open_session("u1")
        start(gateway, session)
        assert (len(gateway.runs), len(session.runs), len(session.outbox)) == (1, 1, 0)
        assert await gateway.drain()
        assert (len(gateway.runs), len(session.runs)) == (0, 0)
        assert kit.kinds(kit.events_of(session))[-2:] == ["completed", "run_report"]

    kit.go(work())


def test_a_second_connection_of_the_user_may_cancel(kit: Kit) -> None:
    async def work() -> None:
        gateway = a_gateway(kit)
        session, second, foreign = (gateway.open_session(user) for user in ("u1", "u1", "u2"))
        run = CancelRun(start(gateway, session).run_id)
        with pytest.raises(Refused, match="no such run"):
            gateway.answer(foreign, "c3", run)
        gateway.answer(second, "c2", run)
        await gateway.drain()
        assert "error:cancelled" in kit.kinds(kit.events_of(session))
        gateway.answer(second, "c2", run)
        with pytest.raises(Refused, match="no such run"):
            gateway.answer(foreign, "c3", run)

    kit.go(work())


def test_a_session_ends_with_its_window(kit: Kit) -> None:
    async def work() -> None:
        gateway = a_gateway(kit, window_s=0.01, drain_s=1.0)
        session = gateway.open_session("u1")
        gateway.answer(session, "c1", ENDLESS)
        gateway.leave_session(session)
        assert (session.attached, len(gateway.sessions)) == (False, 1)
        await asyncio.sleep(0.02)
        assert len(gateway.sessions) == 0
        assert await gateway.drain()
        assert len(gateway.runs) == 0

    kit.go(work())


def undelivered(logs: list[Any]) -> list[dict[str, Any]]:
    """The warnings about lost messages, without what is the same in all."""
    same = ("event", "part", "log_level", "connection_id")
    return [
        {key: value for key, value in line.items() if key not in same}
        for line in logs
        if (line["event"], line["log_level"]) == ("messages_undelivered", "warning")
    ]


def test_what_is_queued_when_the_reader_leaves_is_counted_and_told(kit: Kit) -> None:
    async def work() -> None:
        metrics = Metrics()
        gateway = a_gateway(kit, metrics=metrics)
        session = gateway.open_session("u1", "c1")
        for number in range(3):
            session.post(Pong(number, number))
        with capture_logs() as logs:
            gateway.leave_session(session)
        assert undelivered(logs) == [{"messages": 3, "closed": 3}]
        assert kit.sample(metrics, 'delivery_failures_total{reason="closed"}') == 3

    kit.go(work())


@pytest.mark.parametrize("window_s", [0.0, 0.5])
def test_what_comes_without_a_reader_is_told_once_however_the_session_ends(kit: Kit, window_s: float) -> None:
    async def work() -> None:
        metrics = Metrics()
        gateway = a_gateway(kit, window_s=window_s, metrics=metrics)
        session = gateway.open_session("u1", "c1")
        start(gateway, session)
        with capture_logs() as logs:
            gateway.leave_session(session)
            await kit.eventually(lambda: not gateway.sessions and not gateway.runs)
            await gateway.drain()
        lost = kit.sample(metrics, 'delivery_failures_total{reason="no_reader"}')
        assert undelivered(logs) == [{"messages": lost, "no_reader": lost}]
        assert lost >= 4  # at least a start, two thoughts, an end

    kit.go(work())


def test_a_drain_tells_what_no_sessions_end_has_told(kit: Kit) -> None:
    async def work() -> None:
        gateway = a_gateway(kit, window_s=60.0)
        session = gateway.open_session("u1", "c1")
        gateway.leave_session(session)
        session.post(Pong(1, 2))
        with capture_logs() as logs:
            gateway.tell_losses()
        assert undelivered(logs) == [{"messages": 1, "no_reader": 1}]

    kit.go(work())


def test_a_core_that_crashes_still_ends_the_run(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(_run: object) -> str:
        raise RuntimeError("a defect")

    async def work() -> None:
        gateway = a_gateway(kit)
        monkeypatch.setattr(gateway._core, "execute", crash)
        session = gateway.open_session("u1")
        start(gateway, session)
        await gateway.drain()
        assert kit.kinds(kit.events_of(session)) == ["error:agent_failed", "run_report"]
        assert len(gateway.runs) == 0

    kit.go(work())


def test_draining_starts_nothing_and_says_whether_all_ended(kit: Kit) -> None:
    async def work() -> None:
        gateway = a_gateway(kit, drain_s=0.0)
        session = gateway.open_session("u1")
        first = start(gateway, session)
        assert not await gateway.drain()
        with pytest.raises(Refused, match="going away"):
            gateway.answer(session, "c1", StartAgent(user_request="hello", request_id="q2"))
        assert start(gateway, session) == first
        await gateway.stop_runs()
        assert await gateway.drain()

    kit.go(work())
