"""What a message costs on its way to a row, and a request on its way to bytes; no time is judged."""

import json

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from streamgauge.core.event import Kind
from streamgauge.core.observation import Malformed, Received
from streamgauge.core.stretch import unfold
from streamgauge.protocol import PROTOCOLS, Observer, Request
from streamgauge.protocol.dialect import context_digest
from streamgauge.protocol.login import mint_token
from tests.support.compiled import compiled

pytestmark = pytest.mark.benchmark(max_time=0.2)

NATIVE = PROTOCOLS["native"]
CANARY = "sgcanary" + "A" * 20
ENVELOPE = {
    "event_id": "e-0191f0c2a8e5",
    "run_id": "r-0191f0c2a8e5",
    "thread_id": "t-u0-17.1.4",
    "user_id": "u0-17",
    "agent_name": "scripted",
    "seq": 5,
    "offset": 123,
    "emitted_ns": 123_456_789_012_345,
}
CONTEXT = {"canary": CANARY, "nonce": "u0-17.1.4"}
ECHO: dict[str, object] = {"request_id": "q-u0-17.1.4", "context": CONTEXT}
REASONING = "The question is about money, so the ledger is the place to look."
EVENTS: dict[Kind, tuple[str, dict[str, object]]] = {
    Kind.STARTED: ("agent_started", ECHO),
    Kind.THINKING: ("agent_thinking", {"source": "pipeline", "step_number": 2, "thought": REASONING}),
    Kind.TOOL_EXECUTING: ("tool_executing", {"tool_call_id": "c-1", "tool": "sql", "arguments": {"n": 1}}),
    Kind.TOOL_COMPLETED: ("tool_completed", {"tool_call_id": "c-1", "status": "success", "result": [1, 2]}),
    Kind.PARTIAL: ("partial_result", {"index": 3, "delta": "Most of it went to rent and coffee. "}),
    Kind.COMPLETED: ("agent_completed", {**ECHO, "answer_sha256": "0" * 64}),
    Kind.FAILED: ("agent_error", {**ECHO, "error_type": "agent_failed", "message": "it failed"}),
}


def message(kind: Kind, **more: object) -> bytes:
    name, payload = EVENTS[kind]
    return json.dumps({"type": name, **ENVELOPE, "payload": payload | more}).encode()


def ten_events() -> list[bytes]:
    """A whole run, as one read may bring it."""
    kinds = (
        *(Kind.STARTED, Kind.THINKING, Kind.THINKING, Kind.TOOL_EXECUTING, Kind.TOOL_COMPLETED),
        *(Kind.PARTIAL, Kind.PARTIAL, Kind.PARTIAL, Kind.THINKING, Kind.COMPLETED),
    )
    said = [json.loads(message(kind)) for kind in kinds]
    for place, event in enumerate(said):
        event |= {"seq": 1 + place, "offset": 123 + place}
    for index, event in enumerate(said[5:8]):
        event["payload"]["index"] = index
    return [json.dumps(event).encode() for event in said]


@pytest.fixture
def observer() -> Observer:
    return Observer(1, CANARY, NATIVE.reader(), 65_536)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.name.lower())
def test_observe(benchmark: BenchmarkFixture, observer: Observer, kind: Kind) -> None:
    """Scan for canaries, decode and validate one event."""
    row = benchmark(observer.observe, message(kind), 2, 1, exact=True)
    assert isinstance(row, Received)
    assert (row.event.kind, row.event.seq, row.foreign) == (kind, 5, "")


def test_gather_ten_events(benchmark: BenchmarkFixture, observer: Observer) -> None:
    """A run in one call; `test_observe_ten_events` is the same by the reference."""
    compiled("streamgauge.protocol._native")
    messages = ten_events()
    stretch = benchmark(observer.gather, messages, 0, 2, 1, exact=True)
    assert unfold(stretch) == [
        observer.observe(message, 2, 1, exact=place == 9) for place, message in enumerate(messages)
    ]


def test_observe_ten_events(benchmark: BenchmarkFixture, observer: Observer) -> None:
    messages = ten_events()

    def observe() -> list[Received | Malformed]:
        return [observer.observe(message, 2, 1, exact=False) for message in messages]

    rows = benchmark(observe)
    assert [row.event.seq for row in rows if isinstance(row, Received)] == [*range(1, 11)]


def test_gather_one_event(benchmark: BenchmarkFixture, observer: Observer) -> None:
    """The least that there is to gain: most reads bring one."""
    compiled("streamgauge.protocol._native")
    stretch = benchmark(observer.gather, [message(Kind.THINKING)], 0, 2, 1, exact=True)
    assert len(stretch.forms) == 1


def test_gather_nothing(benchmark: BenchmarkFixture, observer: Observer) -> None:
    """What is lost where a message must go the long way after all."""
    compiled("streamgauge.protocol._native")
    assert benchmark(observer.gather, [message(Kind.FAILED)], 0, 2, 1, exact=True) is None


def test_observe_an_event_of_4_kilobytes(benchmark: BenchmarkFixture, observer: Observer) -> None:
    row = benchmark(observer.observe, message(Kind.PARTIAL, delta="x" * 4_096), 2, 1, exact=True)
    assert isinstance(row, Received)
    assert row.event.size == 4_096


def test_observe_an_answer_of_five_parts(benchmark: BenchmarkFixture, observer: Observer) -> None:
    """Its end joins, digests and scans them."""
    parts = [message(Kind.PARTIAL, index=index) for index in range(5)]
    end = message(Kind.COMPLETED)

    def observe() -> Received | Malformed:
        for part in parts:
            observer.observe(part, 2, 1, exact=True)
        return observer.observe(end, 2, 1, exact=True)

    row = benchmark(observe)
    assert isinstance(row, Received)
    assert row.event.joined


def test_observe_a_leak(benchmark: BenchmarkFixture, observer: Observer) -> None:
    leaked = "sgcanary" + "B" * 20
    row = benchmark(observer.observe, message(Kind.PARTIAL, delta=leaked), 2, 1, exact=True)
    assert row.foreign == leaked


def test_observe_what_is_no_message(benchmark: BenchmarkFixture, observer: Observer) -> None:
    row = benchmark(observer.observe, message(Kind.PARTIAL, index="three"), 2, 1, exact=True)
    assert isinstance(row, Malformed)


def test_start_a_run(benchmark: BenchmarkFixture) -> None:
    request = Request("Where does the money go this month?", "q-1", "t-1", "scripted", CONTEXT)
    assert benchmark(NATIVE.start, request).startswith(b'{"type":"start_agent"')


def test_digest_of_a_context(benchmark: BenchmarkFixture) -> None:
    assert len(benchmark(context_digest, CONTEXT)) == 16


def test_mint_a_token(benchmark: BenchmarkFixture) -> None:
    assert benchmark(mint_token, "u0-17", "a-secret-of-the-tests-and-of-nothing-else", 0).count(".") == 2
