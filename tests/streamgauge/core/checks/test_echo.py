import pytest
from msgspec.structs import replace

from streamgauge.core.checks.echo import echo
from streamgauge.core.checks.problem import Problem
from streamgauge.core.contract import Rule
from streamgauge.core.event import Event
from streamgauge.core.history import History
from tests.support.history import failed, run, started, thought, whole


def events_of(history: History) -> list[Event]:
    return [received.event for received in history.events]


@pytest.mark.parametrize(
    "history", [run(*whole()), run(started(), thought(1), failed()), run(failed()), run()]
)
def test_what_was_named_comes_back(history: History) -> None:
    assert echo(history, events_of(history)) is None


@pytest.mark.parametrize(
    ("place", "change", "text"),
    [
        (0, {"request": "q2"}, "another request"),
        (0, {"request": ""}, "another request"),
        (9, {"request": "q2"}, "another request"),
        (0, {"context": "c2"}, "another context"),
        (9, {"context": "c2"}, "another context"),
        (4, {"thread": "t2"}, "another thread"),
        (9, {"thread": "t2"}, "another thread"),
        (4, {"agent": "another"}, "another agent"),
        (0, {"agent": ""}, "another agent"),
    ],
)
def test_what_comes_back_is_what_was_named(place: int, change: dict[str, str], text: str) -> None:
    history = run(*whole())
    events = events_of(history)
    events[place] = replace(events[place], **change)
    assert echo(history, events) == Problem(Rule.ECHO, text, (place,))


def test_an_error_echoes_too() -> None:
    history = run(started(), failed())
    started_, error = events_of(history)
    assert echo(history, [started_, replace(error, context="c2")]) == Problem(
        Rule.ECHO, "another context", (1,)
    )


def test_thoughts_and_tools_repeat_neither_request_nor_context() -> None:
    history = run(*whole())
    assert all(event.request == event.context == "" for event in events_of(history)[1:9])


def test_what_the_user_left_open_is_not_judged() -> None:
    history = run(*whole())
    history.thread = ""
    history.asked = replace(history.asked, thread="", agent="")
    events = [replace(event, thread="t9", agent="any") for event in events_of(history)]
    assert echo(history, events) is None


def test_what_the_protocol_does_not_repeat_is_not_judged() -> None:
    history = run(*whole())
    history.asked = replace(history.asked, context="")
    events = [replace(event, context="c9") for event in events_of(history)]
    assert echo(history, events) is None
