import json

import pytest

from streamgauge.core.event import Event, Kind
from streamgauge.protocol import Unreadable
from streamgauge.protocol.ag_ui_reader import AgUiReader
from tests.support.ag_ui import (
    Ask,
    Message,
    asking,
    began,
    erred,
    events_of,
    findings,
    finished,
    judged,
    said,
)
from tests.support.history import canary


def start(name: str = "m1") -> Message:
    return said("TEXT_MESSAGE_START", messageId=name)


def delta(text: str = "a", name: str = "m1") -> Message:
    return said("TEXT_MESSAGE_CONTENT", messageId=name, delta=text)


def end(name: str = "m1") -> Message:
    return said("TEXT_MESSAGE_END", messageId=name)


def tool(move: str) -> Message:
    return said(f"TOOL_CALL_{move}", toolCallId="c1", toolCallName="look")


CUSTOM = said("CUSTOM", name="mood", value=1)
RESULT = said("TOOL_CALL_RESULT", toolCallId="c1", messageId="m9", content="42")


# The run's own events


def test_a_run_begins_and_ends_under_the_name_it_was_asked_for() -> None:
    first, last = (row.event for row in events_of(began(), finished()))
    assert first == Event(Kind.STARTED, run="q1", thread="thread-A", request="q1")
    assert last == Event(Kind.COMPLETED, run="q1", thread="thread-A", request="q1")


@pytest.mark.parametrize(
    ("outcome", "kind", "status"),
    [
        (None, Kind.COMPLETED, ""),
        ({"type": "success", "pendingToolCallIds": ["c1"]}, Kind.COMPLETED, ""),
        ({"type": "interrupt", "interrupts": [{}]}, Kind.COMPLETED, "interrupt"),
        ({"type": "cancelled"}, Kind.FAILED, "cancelled"),
    ],
)
def test_a_run_has_an_outcome(outcome: object, kind: Kind, status: str) -> None:
    event = events_of(began(), finished(outcome=outcome))[-1].event
    assert (event.kind, event.status, event.cut) == (kind, status, False)


def test_a_run_that_is_cancelled_though_nobody_asked_is_not_complete() -> None:
    cancelled = finished(outcome={"type": "cancelled"})
    assert findings(began(), cancelled) == [("complete", "cancelled, and its user had not asked for it")]


@pytest.mark.parametrize(("code", "status"), [("busy", "busy"), (None, "error")])
def test_an_error_is_of_the_open_run(code: str | None, status: str) -> None:
    event = events_of(began(), erred(code=code))[-1].event
    assert event == Event(Kind.FAILED, run="q1", thread="thread-A", request="q1", status=status, cut=True)


# What the reader leaves to the contract, and what it judges itself

LEGAL: list[tuple[Message | Ask, ...]] = [
    (began(), finished()),
    (began(), erred()),
    (erred(),),  # a run may be nothing but its error
    (began(), tool("START"), start(), erred()),  # an error may leave everything open
    (began(), finished(), erred()),  # nobody's
    (began(), finished(), Ask("q2"), began("q2"), finished("q2")),
    (began(), erred(), Ask("q2"), began("q2"), finished("q2")),
    (Ask("q2"), began(), finished(), began("q2"), finished("q2")),  # asked at once, and served in turn
    (Ask("q2"), began("q2"), finished("q2"), began(), finished()),  # in whatever order
    (Ask("q2"), erred(), erred()),
]
BROKEN: list[tuple[tuple[Message | Ask, ...], str, str]] = [
    ((start(), end(), finished()), "started-first", "no start before it"),
    ((finished(),), "started-first", "no start before it"),
    ((finished(), began()), "started-first", "no start before it"),
    ((CUSTOM, erred()), "started-first", "no start before it"),
    ((start(), began(), end(), finished()), "started-first", "no start before it, started twice or late"),
    ((began(), began(), finished()), "started-first", "started twice or late"),
    ((began(), CUSTOM, began(), finished()), "started-first", "started twice or late"),
    ((began(), finished(), began()), "terminal-last", "agent started after the end"),
    ((began(), finished(), finished()), "terminal-last", "agent completed after the end"),
    ((began(), erred(), erred()), "terminal-last", "agent error after the end"),
    ((began(), finished(), erred(), erred()), "terminal-last", "agent error after the end"),
    ((began(), erred(), finished()), "terminal-last", "agent completed after the end"),
    ((erred(), began()), "terminal-last", "agent started after the end"),
    (
        (began(), finished(), CUSTOM),
        "terminal-last",
        "agent's thought, tool or partial result after the end",
    ),
    (  # what the run knows is its own, though another waits
        (Ask("q2"), began(), start(), end(), finished(), end(), began("q2"), finished("q2")),
        "terminal-last",
        "agent's thought, tool or partial result after the end",
    ),
    (
        (Ask("q2"), began(), tool("START"), tool("END"), finished(), RESULT, began("q2"), finished("q2")),
        "terminal-last",
        "agent's thought, tool or partial result after the end",
    ),
    (
        (began(), start(), erred(), end()),
        "terminal-last",
        "agent's thought, tool or partial result after the end",
    ),
    (  # of what it does not know, it is the next one's
        (Ask("q2"), began(), finished(), CUSTOM, finished("q2")),
        "started-first",
        "no start before it",
    ),
    ((began(), start(), finished(), end()), "protocol", "RUN_FINISHED before the end of a text message"),
    ((began(), tool("START"), finished(), tool("END")), "tool-pairing", "tool never completed"),
    ((began(), start(), delta()), "complete", "never ended"),
    ((Ask("q2"), began(), began("q2"), finished("q2")), "complete", "never ended"),
    (
        (Ask("q2"), began(), began("q2"), finished(), finished("q2")),
        "protocol",
        "RUN_FINISHED of a run that is not the open one",
    ),
    (
        (Ask("q2"), began(), began("q2"), finished("q2"), finished()),
        "protocol",
        "RUN_FINISHED of a run that is not the open one",
    ),
    (  # the end of the run before, again
        (began(), finished(), Ask("q2"), began("q2"), finished(), finished("q2")),
        "terminal-last",
        "agent completed after the end",
    ),
    ((), "complete", "never began"),
    ((began("other"), CUSTOM, finished("other")), "echo", "another request"),
    ((began(), finished("other")), "echo", "another request"),
    ((began(thread="t2"), CUSTOM, finished()), "echo", "another thread"),
    ((began(), finished(thread="t2")), "echo", "another thread"),
]


@pytest.mark.parametrize("stream", LEGAL)
def test_runs_may_follow_each_other_like_this(stream: tuple[Message | Ask, ...]) -> None:
    assert findings(*stream) == []


@pytest.mark.parametrize(("stream", "rule", "problem"), BROKEN)
def test_one_cause_is_one_finding(stream: tuple[Message | Ask, ...], rule: str, problem: str) -> None:
    assert findings(*stream) == [(rule, problem)]


@pytest.mark.parametrize(
    ("stream", "rules"),
    [
        ((began("other"), began("other"), finished("other")), ["started-first", "echo"]),
        ((CUSTOM, began("other"), finished("other")), ["started-first", "echo"]),
        ((Ask("q2"), CUSTOM, began("q2"), finished("q2")), ["started-first", "complete"]),
        ((began(), start(), finished(), end(), end()), ["terminal-last", "protocol"]),
    ],
)
def test_two_causes_are_two_findings(stream: tuple[Message | Ask, ...], rules: list[str]) -> None:
    assert [rule for rule, _ in findings(*stream)] == rules


def test_a_name_that_is_asked_for_again_is_a_new_run() -> None:
    reader = AgUiReader()
    for _ in range(2):
        reader.expect(*asking("q1"))
        said_ = (began(), start(), start(), finished())
        breaches = [bool(reader.read(json.dumps(item).encode())[0].breach) for item in said_]
        assert breaches == [False, False, True, True]


def test_what_nobody_asked_for_is_nobody_s_run() -> None:
    found = judged(began(), finished(), began("q9"), CUSTOM, finished("q9"))
    assert found.findings == [("protocol", "an event of a run that no socket asked for", "q9")]


def test_what_comes_before_any_run_is_of_none() -> None:
    reader = AgUiReader()
    assert reader.read(json.dumps(CUSTOM).encode()) == (
        Event(Kind.OTHER, breach="CUSTOM before any run"),
        b"",
    )
    assert reader.read(json.dumps(erred()).encode()) == (Event(Kind.OTHER), b"")


# Texts


@pytest.mark.parametrize("last", [end(), finished(), erred(), began("q2")])
def test_texts_are_scanned_as_a_whole_wherever_they_end(last: Message) -> None:
    secret = canary("ben")
    stream = (began(), start(), delta(secret[:4]), CUSTOM, delta(secret[4:]), last)
    found = judged(Ask("q2"), *stream).findings
    assert ("isolation-canary", "another user's canary") in {(rule, problem) for rule, problem, _ in found}


@pytest.mark.parametrize(
    "pieces",
    [
        (
            tool("START"),
            *(said("TOOL_CALL_ARGS", toolCallId="c1", delta=text) for text in ("sgcan", "aryBEN")),
            tool("END"),
        ),
        tuple(said("TEXT_MESSAGE_CHUNK", messageId="m1", delta=text) for text in ("sgcan", "aryBEN")),
    ],
)
def test_arguments_and_chunks_are_scanned_too(pieces: tuple[Message, ...]) -> None:
    found = judged(began(), *pieces, finished())
    assert [finding[:2] for finding in found.findings] == [("isolation-canary", "another user's canary")]


# Messages


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (b"hello", "not a JSON object with a type"),
        (b"[]", "not a JSON object with a type"),
        (b'{"runId": "q1"}', "not a JSON object with a type"),
        (b'{"type": "RUN_STARTED", "runId": "q1"}', "RUN_STARTED: Object missing required field"),
        (b'{"type": "RUN_ERROR", "message": 5}', "RUN_ERROR: Expected"),
        (b'{"type": "STATE_SNAPSHOT"}', "STATE_SNAPSHOT: Object missing required field"),
        (b'{"type": "STEP_STARTED", "stepName": "s", "timestamp": "secret"}', "STEP_STARTED: Expected"),
        (
            b'{"type": "TEXT_MESSAGE_START", "messageId": "m", "role": "secret"}',
            "TEXT_MESSAGE_START: Invalid",
        ),
    ],
)
def test_a_message_that_is_none_says_why_without_quoting_it(message: bytes, why: str) -> None:
    with pytest.raises(Unreadable) as unreadable:
        AgUiReader().read(message)
    assert str(unreadable.value).startswith(why)
    assert "secret" not in str(unreadable.value)


def test_an_unreadable_message_changes_nothing() -> None:
    unreadable = said("TEXT_MESSAGE_END")
    assert findings(began(), start(), unreadable, end(), finished()) == [
        ("protocol", "TEXT_MESSAGE_END: Object missing required field `messageId`")
    ]


def test_a_type_of_a_later_version_is_ignored() -> None:
    assert AgUiReader().read(b'{"type": "HOLOGRAM"}') == (Event(Kind.OTHER), b"")
