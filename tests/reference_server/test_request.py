from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import UNSET, Raw

from reference_server.command import Options, Refused, StartAgent
from reference_server.request import read_request
from reference_server.script import Result
from reference_server.scripted import ScriptedAgent
from reference_server.settings import Settings

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit

PLAIN = Settings(secret="x")
MEASURING = Settings(secret="x", measure=True)


def command(context: str = "{}", text: str = "hello", **options: str) -> StartAgent:
    raw = {name: Raw(value.encode()) for name, value in options.items()}
    return StartAgent(
        user_request=text,
        request_id="q1",
        context=Raw(context.encode()),
        options=Options(**{name: raw.get(name, UNSET) for name in ("emission", "script", "seed")}),
    )


def test_the_context_is_echoed_as_it_came_and_shown_without_secrets() -> None:
    request = read_request(command('{"n": 1.0, "secret": "s"}'), PLAIN)
    assert bytes(request.echo) == b'{"n": 1.0, "secret": "s"}'
    assert request.shown == {"n": 1.0, "secret": "[redacted]"}
    assert request.about("Doing") == 'Doing: hello {"n":1.0,"secret":"[redacted]"}'


def test_measuring_controls_are_read() -> None:
    request = read_request(command(emission='"encode"', script='[{"do":"result"}]', seed="5"), MEASURING)
    assert (request.emission, request.script, request.seed) == ("encode", (Result(),), 5)


@pytest.mark.parametrize("name", ["emission", "script", "seed"])
def test_measuring_controls_need_measuring(name: str) -> None:
    with pytest.raises(Refused, match="--measure") as refused:
        read_request(command(**{name: "null"}), PLAIN)
    assert (refused.value.code, refused.value.request_id) == ("not_allowed", "q1")


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({"emission": '"loud"'}, "bad_message", "options.emission"),
        ({"seed": '"five"'}, "bad_message", "options.seed"),
        ({"script": '[{"do":"dance"}]'}, "bad_script", "dance"),
        ({"context": "[]"}, "bad_message", "context: Expected `object`"),
        ({"context": '{"a":"\\ud800"}'}, "bad_message", "context"),
        ({"context": '{"a":' * 80 + "1" + "}" * 80}, "bad_message", "deeper"),
        ({"context": '{"a":' * 5_000 + "1" + "}" * 5_000}, "bad_message", "recursion"),
        ({"text": "x" * 16_384}, "too_large", "at most 16384"),
        ({"text": "\x01" * 3_000}, "too_large", "at most 16384"),
        ({"context": '{"a":"' + "x" * 9_000 + '"}'}, "too_large", "at most 16384"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_happens(
    fields: dict[str, Any], code: str, said: str
) -> None:
    with pytest.raises(Refused) as refused:
        read_request(command(**fields), MEASURING)
    assert (refused.value.code, refused.value.request_id) == (code, "q1")
    assert said in refused.value.message


def test_the_largest_request_is_taken() -> None:
    assert len(read_request(command(text="x" * 16_375), PLAIN).text) == 16_375


@pytest.mark.parametrize("text", ["x" * 16_375, "\x01" * 2_725, '"' * 8_185])
def test_no_event_is_larger_than_a_message_may_be(kit: Kit, text: str) -> None:
    script = [
        {"do": "think", "text": "\x01" * 4_096},
        {"do": "tool", "name": "t", "bytes": 32_768},
        {"do": "result", "bytes": 32_768},
    ]

    async def work() -> list[bytes]:
        stage = kit.Stage({"scripted": ScriptedAgent()})
        session = stage.session()
        request = read_request(command(text=text, script=json.dumps(script)), MEASURING)
        fields = {name: getattr(request, name) for name in request.__struct_fields__}
        await stage.core.execute(stage.open(session, **fields))
        return session.outbox.take(10_000_000)

    events = kit.go(work())
    assert len(events) == 8
    assert max(len(event) for event in events) <= MEASURING.max_message_bytes


def test_a_context_is_not_evaluated_twice() -> None:
    quoted = json.dumps({"a": '"}'})
    assert json.loads(read_request(command(quoted), PLAIN).shown_text) == {"a": '"}'}
