"""Where an event stands in what its protocol keeps in order, and whether it would be missed."""

import json

import pytest

from streamgauge.core.event import Event, Kind
from streamgauge.protocol import PROTOCOLS
from streamgauge.protocol.dialect import Place
from tests.support.ag_ui import AG_UI, Message, began, finished, said

MESSAGE = {"messageId": "m1"}
CALL = {"toolCallId": "c1"}


@pytest.mark.parametrize(
    ("event", "place"),
    [
        (Event(Kind.THINKING, run="r1", seq=2), Place("r1", missed=True)),
        (Event(Kind.THINKING, run="r1"), Place("r1", missed=False)),
    ],
)
def test_events_of_the_native_protocol_are_counted_by_run(event: Event, place: Place) -> None:
    assert PROTOCOLS["native"].place(b"", event) == place


@pytest.mark.parametrize(
    ("message", "place"),
    [
        (said("TEXT_MESSAGE_START", role="assistant", **MESSAGE), Place("q1 a text message m1", missed=True)),
        (said("TEXT_MESSAGE_CONTENT", delta="x", **MESSAGE), Place("q1 a text message m1")),
        (said("TEXT_MESSAGE_END", **MESSAGE), Place("q1 a text message m1")),
        (said("TOOL_CALL_START", toolCallName="f", **CALL), Place("q1 a tool call c1", missed=True)),
        (said("TOOL_CALL_ARGS", delta="{}", **CALL), Place("q1 a tool call c1")),
        (said("STEP_STARTED", stepName="s1"), Place()),
        (began(), Place()),
        (finished(), Place()),
        (said("SMOKE"), Place()),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_of_ag_ui_only_what_begins_a_part_is_missed(message: Message, place: Place) -> None:
    assert AG_UI.place(json.dumps(message).encode(), Event(Kind.WORK, run="q1")) == place
