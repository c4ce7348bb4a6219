"""The one run that a server with known delays performs: its events, and when each is due.

An event's delay is drawn, and with it the moment at which it is to be sent; its
`emitted_ns` lies that delay before. The pauses between events are longer than any
drawn delay, so that events of a run keep their order, and mostly come one by one.
"""

import hashlib
import random
from typing import Final

from msgspec import Raw, Struct

from streamgauge.distribution import LogNormal, Uniform, draw

DELAY: Final = LogNormal(median=0.003, sigma=0.5)  # s
LEAST_DELAY_S: Final = 0.0005
MOST_DELAY_S: Final = 0.020
PAUSE: Final = Uniform(low=MOST_DELAY_S, high=0.060)  # s, from one emission to the next
_WORDS: Final = ("Two invoices ", "are overdue.")


class Start(Struct, frozen=True):
    """What a client asked for (docs/wire.md, section 2)."""

    user_request: str
    request_id: str
    thread_id: str = ""
    agent_name: str = "known-delay"
    context: Raw = Raw(b"{}")


class Planned(Struct, frozen=True):
    """One event: what it says, when it was emitted, and when it is to be sent, in ns."""

    type: str
    payload: dict[str, object]
    emitted_ns: int
    due_ns: int


def plan_run(start: Start, now_ns: int, rng: random.Random) -> list[Planned]:
    """The events of one run that begins now, in order: each kind that a contract speaks of."""
    planned: list[Planned] = []
    emitted_ns = now_ns
    for kind, payload in _events(start):
        delay_s = min(max(draw(DELAY, rng), LEAST_DELAY_S), MOST_DELAY_S)
        planned.append(Planned(kind, payload, emitted_ns, emitted_ns + int(delay_s * 1e9)))
        emitted_ns += int(draw(PAUSE, rng) * 1e9)
    return planned


def _events(start: Start) -> list[tuple[str, dict[str, object]]]:
    echo = {"request_id": start.request_id, "context": start.context}
    tool = {"tool_call_id": f"c-{start.request_id}", "tool_name": "search", "redacted": []}
    answer = "".join(_WORDS)
    return [
        ("agent_started", {"status": "started", "message": start.user_request, **echo}),
        ("agent_thinking", _thought("pipeline", 1, start)),
        ("agent_thinking", _thought("pipeline", 2, start)),
        ("tool_executing", {**tool, "status": "executing", "parameters": {"query": start.user_request}}),
        ("tool_completed", {**tool, "status": "success", "result": {"rows": 2}, "execution_time_ms": 1.0}),
        ("agent_thinking", _thought("agent", None, start)),
        *(("partial_result", {"index": at, "delta": word}) for at, word in enumerate(_WORDS)),
        ("agent_thinking", _thought("pipeline", 3, start)),
        (
            "agent_completed",
            {
                "status": "completed",
                "result": {"answer": answer},
                "answer_sha256": hashlib.sha256(answer.encode()).hexdigest(),
                "execution_time_ms": 1.0,
                **echo,
            },
        ),
    ]


def _thought(source: str, step: int | None, start: Start) -> dict[str, object]:
    return {
        "status": "thinking",
        "source": source,
        "step_number": step,
        "progress_percentage": None,
        "reasoning": start.user_request,
    }
