import pytest

from streamgauge.core.event import Kind
from tests.support.ag_ui import Message, began, events_of, findings, finished, judged, said


def message(move: str, name: str = "m1", **fields: object) -> Message:
    return said(f"TEXT_MESSAGE_{move}", messageId=name, **fields)


def tool(move: str, name: str = "c1", **fields: object) -> Message:
    more: Message = {"START": {"toolCallName": "look"}, "ARGS": {"delta": "{}"}}.get(move, {})
    return said(f"TOOL_CALL_{move}", toolCallId=name, **more, **fields)


def reasoning(move: str, **fields: object) -> Message:
    return said(f"REASONING_{move}", messageId="r1", **fields)


def step(move: str, name: str = "plan", **fields: object) -> Message:
    return said(f"STEP_{move}", stepName=name, **fields)


def subagent(move: str, name: str = "s1") -> Message:
    more: Message = {"STARTED": {"name": "helper"}, "ERROR": {"message": "oh"}}.get(move, {})
    return said(f"SUBAGENT_{move}", subagentRunId=name, **more)


def chunk(kind: str = "TEXT_MESSAGE", **fields: object) -> Message:
    return said(f"{kind}_CHUNK", **fields)


def in_run(*stream: Message) -> list[tuple[str, str]]:
    return findings(began(), *stream, finished())


WHAT_STANDS_ALONE = (
    said("STATE_SNAPSHOT", snapshot=None),
    said("STATE_DELTA", delta=[]),
    said("MESSAGES_SNAPSHOT", messages=[]),
    said("ACTIVITY_SNAPSHOT", messageId="a1", activityType="plan", content={}),
    said("ACTIVITY_DELTA", messageId="a1", activityType="plan", patch=[]),
    said("RAW", event={"a": 1}),
    said("CUSTOM", name="mood", value=None),
    said("REASONING_ENCRYPTED_VALUE", entityId="m1", subtype="message", encryptedValue="x"),
    said("TOOL_CALL_RESULT", toolCallId="c9", messageId="m9", content=[{"type": "text", "text": "42"}]),
)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (message("CONTENT", delta="äh"), Kind.PARTIAL),
        (chunk(messageId="m2", delta="äh"), Kind.PARTIAL),
        (message("CONTENT", delta=""), Kind.WORK),  # it keeps the stream alive, and is no answer
        (chunk(messageId="m2"), Kind.WORK),
        (message("END"), Kind.WORK),
        (tool("START"), Kind.TOOL_EXECUTING),
        (chunk("TOOL_CALL", toolCallId="c2", toolCallName="look"), Kind.WORK),
        (reasoning("START"), Kind.THINKING),
        (reasoning("MESSAGE_START"), Kind.THINKING),
        (chunk("REASONING_MESSAGE", messageId="r2", delta="hm"), Kind.THINKING),
        (said("THINKING_START"), Kind.THINKING),
        (said("THINKING_TEXT_MESSAGE_CONTENT", delta="hm"), Kind.THINKING),
        (step("STARTED"), Kind.WORK),
        (subagent("STARTED"), Kind.WORK),
        *((event, Kind.WORK) for event in WHAT_STANDS_ALONE),
    ],
)
def test_every_event_is_of_its_run_and_of_a_kind(event: Message, kind: Kind) -> None:
    row = events_of(began(), message("START"), event)[-1].event
    assert (row.kind, row.run, row.thread, row.breach) == (kind, "q1", "thread-A", "")
    assert row.size == (3 if kind is Kind.PARTIAL else 0)
    assert row.call == ("c1" if kind is Kind.TOOL_EXECUTING else "")
    assert row.emitted_ns == 0


def test_a_tool_call_ends_under_its_id() -> None:
    row = events_of(began(), tool("START"), tool("ARGS"), tool("END"))[-1].event
    assert (row.kind, row.call) == (Kind.TOOL_COMPLETED, "c1")


@pytest.mark.parametrize(
    "stream",
    [
        (),
        WHAT_STANDS_ALONE,
        (message("START"), message("CONTENT", delta="a"), message("END")),
        (message("START"), tool("START"), message("END"), tool("ARGS"), tool("END")),  # interleaved
        (tool("START"), tool("START", "c2"), tool("ARGS"), tool("END"), tool("END", "c2")),  # parallel
        (message("START"), message("END"), message("START"), message("END")),  # an id used again
        (
            *(reasoning("START"), reasoning("MESSAGE_START"), reasoning("MESSAGE_CONTENT", delta="hm")),
            *(reasoning("MESSAGE_END"), reasoning("END")),
        ),
        (
            step("STARTED"),
            step("STARTED", subagentRunId="s1"),
            step("FINISHED", subagentRunId="s1"),
            step("FINISHED"),
        ),
        (subagent("STARTED"), subagent("STARTED", "s2"), subagent("FINISHED"), subagent("ERROR", "s2")),
        (
            chunk(messageId="m1", delta="a"),
            chunk(delta="b"),
            chunk(messageId="m2"),
            message("START", "m3"),
            message("END", "m3"),
        ),
        (
            chunk("TOOL_CALL", toolCallId="c1", toolCallName="look"),
            chunk("TOOL_CALL", delta="{"),
            *WHAT_STANDS_ALONE,
            chunk("TOOL_CALL", delta="}"),
        ),
        (message("START"), message("CONTENT", delta="a", subagentRunId=None), message("END")),
        (said("THINKING_START"), said("THINKING_TEXT_MESSAGE_START")),  # of 0.x: read, not judged
        (said("SOMETHING_NEW", field=1),),
    ],
)
def test_a_run_may_hold_this(stream: tuple[Message, ...]) -> None:
    assert in_run(*stream) == []


@pytest.mark.parametrize(
    ("stream", "rule", "problem"),
    [
        ((step("STARTED"),), "protocol", "RUN_FINISHED before the end of a step"),
        ((step("FINISHED"),), "protocol", "STEP_FINISHED of a step that is not open"),
        (
            (step("STARTED"), step("FINISHED", subagentRunId="s1"), step("FINISHED")),
            "protocol",
            "STEP_FINISHED of a step that is not open",
        ),
        ((reasoning("START"),), "protocol", "RUN_FINISHED before the end of a reasoning"),
        (
            (message("START"), reasoning("MESSAGE_START")),
            "protocol",
            "RUN_FINISHED before the end of a text message and a reasoning message",
        ),
        ((subagent("STARTED"),), "protocol", "RUN_FINISHED before the end of a subagent"),
        (
            (subagent("STARTED"), subagent("FINISHED"), subagent("STARTED"), subagent("ERROR")),
            "protocol",
            "SUBAGENT_STARTED of a subagent that was there before",
        ),
        (
            (message("START", subagentRunId="s1"), message("END", subagentRunId="s2")),
            "protocol",
            "TEXT_MESSAGE_END of another subagent's part",
        ),
        (
            (tool("START", subagentRunId="s1"), tool("END", subagentRunId="s2")),
            "protocol",
            "TOOL_CALL_END of another subagent's part",
        ),
        ((tool("START"),), "tool-pairing", "tool never completed"),
        ((tool("END"),), "tool-pairing", "tool completed that was not running"),
        ((tool("END"), tool("START")), "tool-pairing", "tool completed that was not running"),
        (
            (chunk(delta="a"), chunk(delta="b")),
            "protocol",
            "TEXT_MESSAGE_CHUNK of a text message without an id",
        ),
        (
            (chunk(messageId="m1"), message("START", "m2"), message("END", "m2"), chunk(delta="b")),
            "protocol",
            "TEXT_MESSAGE_CHUNK of a text message without an id",
        ),
        (
            (chunk("TOOL_CALL", toolCallId="c1"), chunk("TOOL_CALL", toolCallId="c1")),
            "protocol",
            "TOOL_CALL_CHUNK of a tool call without a name",
        ),
        (
            (message("START"), chunk(messageId="m1"), message("END")),
            "protocol",
            "TEXT_MESSAGE_CHUNK of a text message that is open",
        ),
    ],
)
def test_a_run_may_not_hold_this(stream: tuple[Message, ...], rule: str, problem: str) -> None:
    assert in_run(*stream) == [(rule, problem)]


def test_a_run_whose_stream_breaks_its_order_is_no_good_run() -> None:
    goodput = judged(began(), message("END"), finished()).state.goodput
    assert (goodput.of, goodput.good, goodput.broken) == (1, 0, 1)
