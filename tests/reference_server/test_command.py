import pytest

from reference_server.command import CancelRun, NotJson, Ping, Refused, StartAgent, read_command


def test_commands_are_read_and_unknown_fields_ignored() -> None:
    assert read_command('{"type":"ping","payload":{"client_ns":5,"user_id":"eve"}}') == Ping(5)
    assert read_command('{"type":"cancel_run","payload":{"run_id":"r1"},"more":1}') == CancelRun("r1")


def test_of_duplicate_keys_the_last_wins() -> None:
    assert read_command('{"type":"x","type":"ping","payload":{"client_ns":1,"client_ns":2}}') == Ping(2)


def test_start_agent_needs_only_a_text_and_an_id() -> None:
    command = read_command('{"type":"start_agent","payload":{"user_request":"hi","request_id":"q1"}}')
    assert isinstance(command, StartAgent)
    assert (command.agent_name, command.thread_id, bytes(command.context)) == ("scripted", None, b"{}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        '{"type":"ping","payload":{"client_ns":NaN}}',
        '{"type":"ping","payload":{"client_ns":1}',
        '{"type":"ping","payload":{"client_ns":1}} x',
        '{"type":"ping","payload":' + "[" * 30_000 + "]" * 30_000 + "}",
    ],
)
def test_what_is_no_json_ends_the_connection(text: str) -> None:
    with pytest.raises(NotJson):
        read_command(text)


@pytest.mark.parametrize(
    ("text", "code", "request_id", "said"),
    [
        ("[]", "bad_message", None, "Expected `object`"),
        ("{}", "bad_message", None, "missing required field `type`"),
        ('{"type":"ping"}', "bad_message", None, "missing required field `payload`"),
        ('{"type":7,"payload":{}}', "bad_message", None, "$.type"),
        ('{"type":"dance","payload":{}}', "unknown_type", None, "known are start_agent"),
        ('{"type":"ping","payload":{"client_ns":"1"}}', "bad_message", None, "ping: Expected `int`"),
        ('{"type":"start_agent","payload":{"request_id":"q1"}}', "bad_message", "q1", "`user_request`"),
        ('{"type":"start_agent","payload":{"request_id":""}}', "bad_message", "", "$.request_id"),
        ('{"type":"start_agent","payload":{"request_id":7}}', "bad_message", None, "$.request_id"),
        ('{"type":"cancel_run","payload":"r1"}', "bad_message", None, "Expected `object`"),
    ],
)
def test_what_is_no_command_is_refused_with_its_reason(
    text: str, code: str, request_id: str | None, said: str
) -> None:
    with pytest.raises(Refused) as refused:
        read_command(text)
    assert (refused.value.code, refused.value.request_id) == (code, request_id)
    assert said in refused.value.message
