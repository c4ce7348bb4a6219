"""Messages of the native protocol as a server writes them, and the two ways to read them.

written(started(), thought(1), tool("c1"), ended("c1"), part(0, "one"), completed())
"""

import json
from collections.abc import Sequence
from typing import Any

from streamgauge.core.observation import Malformed, Received, Stretch
from streamgauge.core.stretch import unfold
from streamgauge.protocol.native import NativeReader
from streamgauge.protocol.observe import Observer
from tests.support.history import canary

Message = dict[str, Any]
Said = tuple[str, Message]
Rows = list[Received | Malformed]

ANN, BEN = canary("ann"), canary("ben")
CONTEXT = {"canary": ANN, "nonce": "n1"}
ENVELOPE: Message = {"run_id": "r1", "thread_id": "t1", "user_id": "ann", "agent_name": "guide"}
CONN, AT_NS, KERNEL_NS = 4, 20, 10

# the places of `run`
ACCEPTED, STARTED, FIRST, SECOND, CALL, OTHER_CALL, ENDED, PART, NEXT_PART, THIRD, COMPLETED = range(11)


def started(request: str = "q1", context: object = None) -> Said:
    return "agent_started", {"request_id": request, "context": context or CONTEXT}


def thought(step: int | None, source: str = "pipeline") -> Said:
    return "agent_thinking", {"source": source, "step_number": step}


def tool(call: str) -> Said:
    return "tool_executing", {"tool_call_id": call}


def ended(call: str, status: str = "success") -> Said:
    return "tool_completed", {"tool_call_id": call, "status": status}


def part(index: int, delta: str) -> Said:
    return "partial_result", {"index": index, "delta": delta}


def completed(request: str = "q1", context: object = None, answer: str = "0" * 64) -> Said:
    return "agent_completed", {
        "request_id": request,
        "context": context or CONTEXT,
        "answer_sha256": answer,
    }


def failed(request: str = "q1") -> Said:
    return "agent_error", {"request_id": request, "context": CONTEXT, "error_type": "timeout"}


def accepted(request: str = "q1", run: str = "r1", thread: str = "t1") -> Message:
    payload = {"request_id": request, "run_id": run, "thread_id": thread}
    return {"type": "run_accepted", "payload": payload}


def event(said: Said, seq: int, offset: int, **envelope: object) -> Message:
    kind, payload = said
    numbers = {"seq": seq, "offset": offset, "emitted_ns": 1000 + offset}
    return {"type": kind, **ENVELOPE, **numbers, **envelope, "payload": payload}


def text(message: Message) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def written(*said: Said, first: int = 1, **envelope: object) -> list[bytes]:
    """A run's events, numbered from `first` on."""
    return [text(event(one, seq, seq + 40, **envelope)) for seq, one in enumerate(said, first)]


def observer(max_bytes: int = 65_536) -> Observer:
    """Ann's, with a reader that remembers nothing yet."""
    return Observer(CONN, ANN, NativeReader(), max_bytes)


def one_by_one(observer: Observer, messages: Sequence[object]) -> Rows:
    """What the reference says of the messages of one read; what is no bytes says nothing."""
    last = len(messages) - 1
    return [
        observer.observe(message, AT_NS, KERNEL_NS, exact=place == last)
        for place, message in enumerate(messages)
        if isinstance(message, bytes)
    ]


def run() -> list[bytes]:
    """A run in which everything happens that a stretch can hold; the names at the top say where."""
    return [
        text(accepted()),
        *written(
            *(started(), thought(1), thought(2), tool("c1"), tool("c2"), ended("c1", "timeout")),
            *(part(0, "one "), part(1, "two"), thought(3), completed()),
        ),
    ]


def gather(messages: Sequence[object], place: int = 0, by: Observer | None = None) -> Stretch | None:
    return (by or observer()).gather(messages, place, AT_NS, KERNEL_NS, exact=True)


def taken(messages: Sequence[object], max_bytes: int = 65_536) -> int:
    """How many messages make the first stretch, having seen that the reference reads them likewise."""
    stretch = gather(messages, by=observer(max_bytes))
    rows: list[Received] = unfold(stretch) if stretch is not None else []
    assert rows == one_by_one(observer(max_bytes), messages)[: len(rows)]
    return len(rows)


def changed(place: int, old: str, new: str) -> list[bytes]:
    messages = run()
    assert old.encode() in messages[place]
    messages[place] = messages[place].replace(old.encode(), new.encode(errors="surrogateescape"), 1)
    return messages
