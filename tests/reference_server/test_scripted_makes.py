"""What the suite says a script makes is what the agent that plays it emits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from reference_server.script import DEFAULT_SCRIPT, read_script
from reference_server.scripted import ScriptedAgent
from streamgauge.core.observation import Makes
from streamgauge.script import Step, makes

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit

UNIFORM = {"dist": "uniform", "low": 0, "high": 3}
CALLS = [{"do": "tool", "name": name, "ms": UNIFORM, "bytes": 64} for name in ("search", "mail", "ledger")]


@pytest.mark.parametrize(
    "steps",
    [
        msgspec.to_builtins(DEFAULT_SCRIPT),
        [{"do": "result", "bytes": 900}],
        [
            {"do": "think"},
            {"do": "parallel", "steps": CALLS},
            {"do": "stream", "chunks": 4},
            {"do": "result"},
        ],
        [
            *({"do": "think", "text": f"Step {step} of my own"} for step in range(1, 7)),
            {"do": "tool", "name": "search", "outcome": "error"},
            {"do": "tool", "name": "search", "outcome": "timeout", "thread": True},
            {"do": "stream", "chunks": 500, "bytes": 1},
            {"do": "stream", "chunks": 1, "bytes": 90},
            {"do": "result"},
        ],
        [
            {
                "do": "parallel",
                "steps": [
                    {"do": "think"},
                    {"do": "parallel", "steps": [*CALLS, {"do": "stream", "chunks": 3}]},
                    {"do": "stream", "chunks": 2},
                ],
            },
            {"do": "cpu", "ms": 1},
            {"do": "sleep", "ms": 1},
            {"do": "result"},
        ],
    ],
)
def test_what_a_script_makes_is_what_the_agent_emits(kit: Kit, steps: list[dict[str, Any]]) -> None:
    stage = kit.Stage({"agent": ScriptedAgent()})
    events = kit.go(stage.play(script=read_script(json.dumps(steps).encode(), 32_768)))
    kinds = kit.kinds(events)
    assert kinds[-1] == "completed"
    assert makes(msgspec.convert(steps, tuple[Step, ...])) == Makes(
        thoughts=kinds.count("A"),
        tools=kinds.count("tool"),
        parts=sum(kind.startswith("part") for kind in kinds),
    )
