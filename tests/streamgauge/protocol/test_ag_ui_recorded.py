"""Every event of the recorded streams lost, doubled or swapped: found, or listed here as invisible."""

from itertools import pairwise

import pytest

from tests.support.ag_ui import Message, judged, recorded_sse, recorded_websocket

RECORDED = {"websocket": ("run-2", recorded_websocket()), "sse": ("run-1", recorded_sse())}
TYPES = (
    *("RUN_STARTED", "TEXT_MESSAGE_START", "TEXT_MESSAGE_END"),
    *("TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_END", "TOOL_CALL_RESULT"),
    *("TEXT_MESSAGE_START", *["TEXT_MESSAGE_CONTENT"] * 8, "TEXT_MESSAGE_END", "RUN_FINISHED"),
)
PLACES = range(len(TYPES))

NO_NUMBER = "events bear no number, and nothing says how many there are"
NO_RESULT_DUE = "a call needs no result, and may have several"
BY_ID = "parts of a run are told apart by their ids, and may interleave"

# What AG-UI does not promise to show, and why
INVISIBLE_LOSS = {
    "TEXT_MESSAGE_CONTENT": NO_NUMBER,
    "TOOL_CALL_ARGS": NO_NUMBER,
    "TOOL_CALL_RESULT": NO_RESULT_DUE,
}
INVISIBLE_DOUBLE = INVISIBLE_LOSS
INVISIBLE_SWAP = {
    ("TEXT_MESSAGE_END", "TOOL_CALL_START"): BY_ID,
    ("TOOL_CALL_END", "TOOL_CALL_RESULT"): "a result is bound to no place after its call",
    ("TOOL_CALL_RESULT", "TEXT_MESSAGE_START"): BY_ID,
    ("TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_CONTENT"): NO_NUMBER,
}

LOST = {
    0: ("started-first", "no start before it"),
    1: ("protocol", "TEXT_MESSAGE_END of a text message that is not open"),
    2: ("protocol", "RUN_FINISHED before the end of a text message"),
    3: ("protocol", "TOOL_CALL_ARGS of a tool call that is not open"),
    5: ("tool-pairing", "tool never completed"),
    7: ("protocol", "TEXT_MESSAGE_CONTENT of a text message that is not open"),
    16: ("protocol", "RUN_FINISHED before the end of a text message"),
    17: ("complete", "never ended"),
}
DOUBLED = {
    0: ("started-first", "started twice or late"),
    1: ("protocol", "TEXT_MESSAGE_START of a text message that was there before"),
    2: ("protocol", "TEXT_MESSAGE_END of a text message that is not open"),
    3: ("tool-pairing", "tool begun twice"),
    5: ("tool-pairing", "tool completed that was not running"),
    7: ("protocol", "TEXT_MESSAGE_START of a text message that was there before"),
    16: ("protocol", "TEXT_MESSAGE_END of a text message that is not open"),
    17: ("terminal-last", "agent completed after the end"),
}
SWAPPED = {  # with the next one
    0: ("started-first", "no start before it, started twice or late"),
    1: ("protocol", "TEXT_MESSAGE_END of a text message that is not open"),
    3: ("protocol", "TOOL_CALL_ARGS of a tool call that is not open"),
    4: ("protocol", "TOOL_CALL_ARGS of a tool call that is not open"),
    7: ("protocol", "TEXT_MESSAGE_CONTENT of a text message that is not open"),
    15: ("protocol", "TEXT_MESSAGE_CONTENT of a text message that is not open"),
    16: ("protocol", "RUN_FINISHED before the end of a text message"),
}

both = pytest.mark.parametrize("name", RECORDED)


def findings(name: str, stream: list[Message]) -> list[tuple[str, str]]:
    request, _ = RECORDED[name]
    found = judged(*stream, request=request).findings
    assert all(run == request for _, _, run in found)
    return [(rule, problem) for rule, problem, _ in found]


def expected(finding: tuple[str, str] | None) -> list[tuple[str, str]]:
    return [finding] if finding else []


@both
def test_the_recorded_stream_passes(name: str) -> None:
    request, stream = RECORDED[name]
    assert tuple(message["type"] for message in stream) == TYPES
    found = judged(*stream, request=request)
    assert not found.findings
    assert {rule: verdict.outcome.value for rule, verdict in found.verdicts.items() if verdict.promised} == {
        "isolation-active": "unknown",  # nobody attacked
        "started-first": "pass",
        "tool-pairing": "pass",
        "terminal-last": "pass",
        "complete": "pass",
        "no-silence": "pass",
        "echo": "pass",
        "protocol": "pass",
        "isolation-canary": "pass",
    }
    assert found.state.counts["runs with the full sequence"] == found.state.counts["runs expected whole"] == 1
    assert found.state.counts["events"] == len(stream)


@both
@pytest.mark.parametrize("place", PLACES)
def test_a_lost_event_is_one_finding_or_invisible(name: str, place: int) -> None:
    stream = RECORDED[name][1]
    assert (place in LOST) is (TYPES[place] not in INVISIBLE_LOSS)
    assert findings(name, stream[:place] + stream[place + 1 :]) == expected(LOST.get(place))


@both
@pytest.mark.parametrize("place", PLACES)
def test_a_doubled_event_is_one_finding_or_invisible(name: str, place: int) -> None:
    stream = RECORDED[name][1]
    assert (place in DOUBLED) is (TYPES[place] not in INVISIBLE_DOUBLE)
    assert findings(name, stream[: place + 1] + stream[place:]) == expected(DOUBLED.get(place))


@both
@pytest.mark.parametrize("place", PLACES[:-1])
def test_two_swapped_events_are_one_finding_or_invisible(name: str, place: int) -> None:
    stream = RECORDED[name][1]
    swapped = [*stream[:place], stream[place + 1], stream[place], *stream[place + 2 :]]
    assert (place in SWAPPED) is (TYPES[place : place + 2] not in INVISIBLE_SWAP)
    assert findings(name, swapped) == expected(SWAPPED.get(place))


def test_the_lists_hold_nothing_that_does_not_happen() -> None:
    assert set(INVISIBLE_LOSS) <= set(TYPES)
    assert set(INVISIBLE_SWAP) <= set(pairwise(TYPES))
