from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest
from msgspec import Raw

from reference_server.bridge import AgentWebSocketBridge, EmissionTotals
from reference_server.metrics import Metrics
from reference_server.session import Session

if TYPE_CHECKING:
    from reference_server.bridge import Emit
    from reference_server.context import Emission
    from tests.reference_server.conftest import Kit


class Scene:
    """A bridge whose clock ticks, with one open run."""

    def __init__(self, kit: Kit, emission: Emission = "on", emit: Emit = Session.send) -> None:
        self.kit = kit
        self.metrics = Metrics()
        self.bridge = AgentWebSocketBridge(kit.TickingClock().clock, self.metrics, emit)
        self.session = kit.Stage.session()
        self.context = kit.context_of()
        self.bridge.open_run(
            self.context, self.session, agent_name="optimizer", echo=Raw(b'{"c":1}'), emission=emission
        )

    def say_all(self) -> None:
        bridge, context = self.bridge, self.context
        assert bridge.notify_agent_started(context, "Started")
        assert bridge.notify_agent_thinking(context, "hm", 1, source="pipeline", progress_percentage=10)
        assert bridge.notify_tool_executing(context, "call", "search", {"a": 1}, ["/b"])
        assert bridge.notify_tool_completed(context, "call", "search", "success", {"r": 2}, [], 1.23456)
        assert bridge.notify_partial_result(context, "an")
        assert bridge.notify_partial_result(context, "swer")
        assert bridge.notify_agent_completed(context, {"answer": "answer"}, "sha", 5.0)

    def events(self) -> list[dict[str, Any]]:
        return self.kit.events_of(self.session)

    def failures(self, reason: str) -> float:
        return self.kit.sample(self.metrics, f'delivery_failures_total{{reason="{reason}"}}')


def test_every_event_is_numbered_stamped_and_says_whose_it_is(kit: Kit) -> None:
    scene = Scene(kit)
    scene.say_all()
    events = scene.events()
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5, 6, 7]
    assert [event["offset"] for event in events] == [1, 2, 3, 4, 5, 6, 7]
    stamps = [event["emitted_ns"] for event in events]
    assert stamps == sorted(set(stamps))
    for event in events:
        names = ("run_id", "thread_id", "user_id", "agent_name")
        assert [event[name] for name in names] == ["r1", "t1", "u1", "optimizer"]


def test_the_payloads_are_those_of_the_protocol(kit: Kit) -> None:
    scene = Scene(kit)
    scene.say_all()
    assert [event["payload"] for event in scene.events()] == [
        {"request_id": "q1", "message": "Started", "context": {"c": 1}, "status": "started"},
        {
            "reasoning": "hm",
            "step_number": 1,
            "source": "pipeline",
            "progress_percentage": 10,
            "status": "thinking",
        },
        {
            "tool_call_id": "call",
            "tool_name": "search",
            "parameters": {"a": 1},
            "redacted": ["/b"],
            "status": "executing",
        },
        {
            "tool_call_id": "call",
            "tool_name": "search",
            "result": {"r": 2},
            "redacted": [],
            "status": "success",
            "execution_time_ms": 1.235,
        },
        {"index": 0, "delta": "an"},
        {"index": 1, "delta": "swer"},
        {
            "result": {"answer": "answer"},
            "answer_sha256": "sha",
            "execution_time_ms": 5.0,
            "request_id": "q1",
            "context": {"c": 1},
            "status": "completed",
        },
    ]


def test_an_error_is_a_terminal_event_too(kit: Kit) -> None:
    scene = Scene(kit)
    assert scene.bridge.notify_agent_error(scene.context, "timeout", "Too long.")
    assert not scene.bridge.notify_agent_thinking(scene.context, "late")
    assert scene.events()[0]["payload"] == {
        "error_type": "timeout",
        "error_message": "Too long.",
        "request_id": "q1",
        "context": {"c": 1},
        "status": "error",
    }
    assert scene.failures("run_not_open") == 1


def test_another_runs_context_is_refused(kit: Kit) -> None:
    scene = Scene(kit)
    assert not scene.bridge.notify_agent_thinking(kit.context_of("u2", "r1"), "as somebody else")
    assert not scene.bridge.notify_agent_thinking(kit.context_of("u1", "r2"), "of no run")
    assert scene.events() == []
    assert scene.failures("run_not_open") == 2


def test_runs_are_numbered_apart_and_the_session_together(kit: Kit) -> None:
    scene = Scene(kit)
    other = kit.context_of(run="r2")
    scene.bridge.open_run(other, scene.session, agent_name="a")
    for context in (scene.context, other, scene.context, other):
        scene.bridge.notify_agent_thinking(context, "hm")
    assert [(event["run_id"], event["seq"], event["offset"]) for event in scene.events()] == [
        ("r1", 1, 1),
        ("r2", 1, 2),
        ("r1", 2, 3),
        ("r2", 2, 4),
    ]


def test_what_cannot_be_encoded_is_counted_and_leaves_no_gap(kit: Kit) -> None:
    scene = Scene(kit)
    assert not scene.bridge.notify_tool_executing(scene.context, "call", "tool", {"x": object()})
    assert not scene.bridge.notify_agent_completed(scene.context, {"answer": "\ud800"}, "sha")
    assert scene.bridge.notify_agent_error(scene.context, "agent_failed", "no")
    assert [(event["type"], event["seq"], event["offset"]) for event in scene.events()] == [
        ("agent_error", 1, 1)
    ]
    assert (scene.failures("TypeError"), scene.failures("UnicodeEncodeError")) == (1, 1)


def test_a_delta_that_cannot_be_encoded_leaves_no_gap_in_the_index(kit: Kit) -> None:
    scene = Scene(kit)
    assert [scene.bridge.notify_partial_result(scene.context, delta) for delta in ("a", "\ud800", "b")] == [
        True,
        False,
        True,
    ]
    assert [event["payload"]["index"] for event in scene.events()] == [0, 1]


def test_a_failing_way_out_fails_no_agent(kit: Kit) -> None:
    def broken(_session: Session, _event: object) -> None:
        raise ConnectionResetError

    scene = Scene(kit, emit=broken)
    assert not scene.bridge.notify_agent_started(scene.context, "Started")
    assert scene.failures("ConnectionResetError") == 1


def test_the_null_bridge_builds_and_sends_nothing(kit: Kit) -> None:
    scene = Scene(kit, "off")
    scene.say_all()
    assert scene.events() == []
    assert scene.session.take_offset() == 1
    assert scene.bridge.close_run(scene.context) == EmissionTotals(emission_ns=0, events=0)


def test_the_encoding_arm_encodes_and_sends_nothing(kit: Kit) -> None:
    scene = Scene(kit, "encode")
    scene.say_all()
    assert not scene.bridge.notify_agent_thinking(scene.context, "late")
    assert scene.events() == []
    assert scene.session.take_offset() == 1
    totals = scene.bridge.close_run(scene.context)
    assert totals.events == 7
    assert totals.emission_ns > 0


def test_the_encoding_arm_meets_what_cannot_be_encoded(kit: Kit) -> None:
    scene = Scene(kit, "encode")
    assert not scene.bridge.notify_tool_executing(scene.context, "call", "tool", {"x": object()})


@pytest.mark.parametrize("emission", ["on", "encode"])
def test_events_are_counted_by_type(kit: Kit, emission: Literal["on", "encode"]) -> None:
    scene = Scene(kit, emission)
    scene.say_all()
    assert kit.sample(scene.metrics, 'events_total{type="partial_result"}') == 2
    assert kit.sample(scene.metrics, 'events_total{type="agent_error"}') == 0
