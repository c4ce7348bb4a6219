import json

import pytest

from streamgauge.core.contract import Rule
from streamgauge.protocol import PROTOCOLS, Request
from streamgauge.protocol.ag_ui import AG_UI
from streamgauge.protocol.dialect import Dialect, Echo

REQUEST = Request("hello", "q-1", "t-1", "guide", {"canary": "c", "nonce": "n"}, {"mood": "calm"})


def test_it_is_known_by_its_name() -> None:
    dialect: Dialect = AG_UI
    assert PROTOCOLS[dialect.name] is dialect


def test_a_request_is_a_run_agent_input() -> None:
    assert json.loads(AG_UI.start(REQUEST)) == {
        "threadId": "t-1",
        "runId": "q-1",
        "protocolVersion": "1.0",
        "state": {},
        "messages": [{"id": "q-1-1", "role": "user", "content": "hello"}],
        "tools": [],
        "context": [{"description": "canary", "value": "c"}, {"description": "nonce", "value": "n"}],
        "forwardedProps": {"mood": "calm"},
    }


def test_the_thread_comes_back_and_neither_agent_nor_context() -> None:
    assert AG_UI.echo(REQUEST) == Echo(thread="t-1", agent="", context="")


def test_what_it_has_no_message_for_is_none() -> None:
    dialect: Dialect = AG_UI
    assert dialect.cancel("q-1") is None
    assert dialect.say("q-1", "and?") is None
    assert not dialect.greets


@pytest.mark.parametrize(
    "rule",
    [
        *(Rule.THINKING_PRESENT, Rule.SEQ_CONTIGUOUS, Rule.OFFSET_CONTIGUOUS),
        *(Rule.PARTIAL_INTEGRITY, Rule.ISOLATION_ENVELOPE, Rule.RESOURCE),
    ],
)
def test_what_its_events_cannot_show_is_not_promised(rule: Rule) -> None:
    assert rule not in AG_UI.promises
    assert len(AG_UI.promises) == len(Rule) - 6


def test_every_connection_has_a_reader_of_its_own() -> None:
    assert AG_UI.reader() is not AG_UI.reader()
