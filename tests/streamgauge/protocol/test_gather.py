import hashlib
import json
from array import array
from typing import Any

import pytest
from msgspec.structs import replace

from streamgauge.core.event import Event, Kind
from streamgauge.core.observation import Received, Stretch
from streamgauge.core.stretch import unfold
from streamgauge.protocol.dialect import context_digest
from tests.support.native_stream import (
    ACCEPTED,
    ANN,
    AT_NS,
    CALL,
    COMPLETED,
    CONN,
    CONTEXT,
    FIRST,
    KERNEL_NS,
    PART,
    STARTED,
    changed,
    completed,
    ended,
    gather,
    observer,
    part,
    run,
    started,
    taken,
    text,
    thought,
    tool,
    written,
)

pytestmark = pytest.mark.usefixtures("compiled")

DIGEST = context_digest(CONTEXT)


# What is taken


def test_a_read_of_a_whole_run_is_one_stretch() -> None:
    messages = run()
    joined = hashlib.sha256(b"one two").hexdigest()
    assert gather(messages) == Stretch(
        *(CONN, AT_NS, KERNEL_NS, True, "ann", "r1", "t1", "guide", ""),
        seq=1,
        offset=41,
        forms=bytes([1, 2 | 3 << 3, 2 | 5 << 3, 3, 3 | 1 << 3, 4 | 16 << 3, 5, 5, 2 | 7 << 3, 6]),
        sizes=array("I", map(len, messages[1:])).tobytes(),
        emitted=array("q", range(1041, 1051)).tobytes(),
        calls=("c1", "c2"),
        request="q1",
        context=DIGEST,
        answer="0" * 64,
        joined=joined,
        index=0,
        accepted=len(messages[0]),
        parts=array("I", [4, 3]).tobytes(),
    )
    assert taken(messages) == 11


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (started(), Event(Kind.STARTED, request="q1", context=DIGEST)),
        (thought(1), Event(Kind.THINKING, pipeline=True, step=1)),
        (thought(15, "agent"), Event(Kind.THINKING, step=15)),
        (thought(None, "agent"), Event(Kind.THINKING)),
        (tool("c1"), Event(Kind.TOOL_EXECUTING, call="c1")),
        (ended("c1"), Event(Kind.TOOL_COMPLETED, call="c1", status="success")),
        (ended("c1", "error"), Event(Kind.TOOL_COMPLETED, call="c1", status="error")),
        (ended("c1", "timeout"), Event(Kind.TOOL_COMPLETED, call="c1", status="timeout")),
        (ended("c1", "cancelled"), Event(Kind.TOOL_COMPLETED, call="c1", status="cancelled")),
        (part(7, "äh"), Event(Kind.PARTIAL, index=7, size=3)),
        (completed(), Event(Kind.COMPLETED, request="q1", context=DIGEST, answer="0" * 64)),
    ],
    ids=str,
)
def test_an_event_alone_is_a_stretch_of_one(said: tuple[str, dict[str, object]], known: Event) -> None:
    messages = written(said, first=9, clock_id="boot")
    stretch = gather(messages)
    assert stretch is not None
    event = replace(known, user="ann", run="r1", thread="t1", agent="guide", seq=9, offset=49)
    event = replace(event, emitted_ns=1049, clock="boot")
    assert unfold(stretch) == [Received(CONN, AT_NS, KERNEL_NS, True, len(messages[0]), event)]


@pytest.mark.parametrize(
    ("place", "old", "new"),
    [
        (PART, '"one "', r'"\"\\\/\b\f\n\r\t"'),
        (PART, '"one "', r'"\u0080\u4e2d\u4E2D\uffff"'),
        (PART, '"one "', r'"\ud83d\ude00\uD83D\uDE00\udbff\udfff"'),
        (PART, '"one "', r'"\\u0041"'),
        (PART, '"one "', '"äh 中 😀"'),
        (PART, '"one "', '""'),
        (PART, '"one "', f'"{ANN} {ANN}"'),
        (PART, '"delta":', '"news":"\\u4e2d\\n","delta":'),
        (STARTED, '"seq":1', ' \t\r\n"seq" \t\r\n: \t\r\n1 \t\r\n'),
        (STARTED, '"run_id":"r1",', '"run_id":"r1","news":{"is":["fine",null,true,false,-1.5e+3,0,[],{}]},'),
        (STARTED, '"run_id"', '"deep":' + "[" * 64 + "1" + "]" * 64 + ',"run_id"'),
        (STARTED, '"run_id"', '"twice":1,"twice":{"a":1,"a":2},"run_id"'),
        (STARTED, '"emitted_ns":1041', '"emitted_ns":' + "9" * 18),
        (FIRST, '"run_id":"r1",', '"clock_id":"","run_id":"r1",'),
        (FIRST, '"step_number":1', '"step_number":1,"reasoning":"\\n 中"'),
        (CALL, '"tool_call_id"', '"status":7,"tool_call_id"'),
        (ACCEPTED, '"request_id"', '"queue":{"place":1},"request_id"'),
    ],
)
def test_what_may_be_written_this_way_or_that_is_taken_all_the_same(place: int, old: str, new: str) -> None:
    assert taken(changed(place, old, new)) == 11


@pytest.mark.parametrize(
    "context", [{}, [], "", None, 5, {"a": "é\n"}, {"a": f"{ANN}{ANN}", "b": [{}]}], ids=str
)
def test_a_context_may_be_anything(context: object) -> None:
    messages = run()
    for place in (STARTED, COMPLETED):
        said = json.loads(messages[place])
        said["payload"]["context"] = context
        messages[place] = json.dumps(said).encode()  # with spaces, and escapes
    assert taken(messages) == 11


def test_keys_may_stand_in_any_order() -> None:
    def backwards(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: backwards(inner) for key, inner in reversed(value.items())}

    assert taken([text(backwards(json.loads(message))) for message in run()]) == 11


def test_names_may_be_of_any_script() -> None:
    ids: dict[str, Any] = {"run_id": "лауф", "thread_id": "中", "user_id": "änn", "agent_name": "😀"}
    assert taken(written(started("ф", {"é": "é"}), tool("ц"), completed("ф", {"é": "é"}), **ids)) == 3


def test_256_events_are_a_stretch_and_the_next_begins_another() -> None:
    messages = written(*(part(index, "x") for index in range(257)))
    assert taken(messages) == 256
    assert taken(messages[256:]) == 1


def test_the_stamp_is_exact_only_where_the_stretch_reaches_the_end_of_the_read() -> None:
    def exact(messages: list[bytes], place: int) -> bool:
        stretch = gather(messages, place)
        assert stretch is not None
        return stretch.exact

    assert exact(run(), 0)
    assert exact(run(), 5)
    assert not exact([*run(), b"{}"], 0)
    assert not exact([*run(), b"{}"], 5)
    stretch = observer().gather(run(), 0, AT_NS, KERNEL_NS, exact=False)
    assert stretch is not None
    assert not stretch.exact
