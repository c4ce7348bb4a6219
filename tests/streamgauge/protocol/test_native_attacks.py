import json

from streamgauge.protocol import PROTOCOLS, Request
from streamgauge.protocol.native_attacks import (
    Greeting,
    Offer,
    claiming,
    filled,
    is_resume_failed,
    nested,
    read_greeting,
    with_hole,
)

ASKED = Request("hello", "q", "t", "a", with_hole({"canary": "c"}))


def test_of_a_greeting_sessions_and_sizes_are_read() -> None:
    said = {"max_message_bytes": 99, "session": {"id": "s-1", "window_s": 60, "resume": True}, "user_id": "u"}
    message = json.dumps({"type": "connection_established", "payload": said}).encode()
    assert read_greeting(message) == Greeting(99, Offer("s-1", resume=True))


def test_what_is_no_greeting_offers_nothing() -> None:
    for message in (b"", b"{}", b"[]", b"\xff", b'{"payload":{"session":7}}'):
        assert read_greeting(message) == Greeting()


def test_a_claim_stands_at_the_top_and_in_the_payload_of_every_protocol() -> None:
    for dialect in PROTOCOLS.values():
        said = json.loads(claiming(dialect.start(ASKED), "ann"))
        assert said.pop("user_id") == "ann"
        assert said.get("payload", {"user_id": "ann"}).pop("user_id") == "ann"


def test_a_hole_is_filled_in_every_protocol() -> None:
    for dialect in PROTOCOLS.values():
        message = filled(dialect.start(ASKED), b"[1,[2]]")
        assert [1, [2]] in values(json.loads(message))
        assert b"NaN" in filled(dialect.start(ASKED), b"NaN")


def values(tree: object) -> list[object]:
    match tree:
        case dict():
            return [tree, *(found for value in tree.values() for found in values(value))]
        case list():
            return [tree, *(found for value in tree for found in values(value))]
        case _:
            return [tree]


def test_what_is_nested_just_fits() -> None:
    for dialect in PROTOCOLS.values():
        message = nested(dialect.start(ASKED), 4_096)
        assert 4_000 < len(message) <= 4_096
        assert message.count(b"[" * 1_900)


def test_that_nothing_can_be_resumed_is_known() -> None:
    assert is_resume_failed(b'{"type":"resume_failed","payload":{"message":"no"}}')
    assert not is_resume_failed(b'{"type":"resumed","payload":{}}')
    assert not is_resume_failed(b"\xff")
